# Copyright 2026 dads_ros developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""
A fleet on a Ray cluster: one cloud node per GPU, each with its share of the cars.

Start it where Ray and the sourced workspace are; the machines of the cluster have both, too. The
program `cloud` must be on PATH, for Ray's workers as well, so before `ray start` and this:

    export PATH="$(ros2 pkg prefix dads_ros)/lib/dads_ros:$PATH"

or in a checkout through scripts/run. Not `ros2 run`: it does not hand on the signal that ends it.

    python fleet_ray.py --nodes 2 --gpus 1 /car1 /car2 /car3 /car4

A cloud node keeps nothing of its cars, so Ray may start one again anywhere; its cars compute by
themselves meanwhile.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import time

PERIOD_S = 2.0


class CloudNode:
    """Runs one cloud node; made a Ray actor below."""

    def __init__(self, command: list[str]) -> None:
        # The kernel ends the node with the actor, however that ends.
        self._process = subprocess.Popen(['setpriv', '--pdeathsig', 'TERM', *command])

    def status(self) -> int | None:
        """Return the node's exit status; None while it runs."""
        return self._process.poll()


def command_of(vehicles: list[str], device: str) -> list[str]:
    """Return the command line of a cloud node for these cars."""
    values = {'vehicles': vehicles, 'device': device}
    words = [f'{name}:={json.dumps(value)}' for name, value in values.items()]
    return ['cloud', '--ros-args', *(part for word in words for part in ('-p', word))]


def main() -> None:
    """Start the nodes and start again those that end, until told to stop."""
    import ray

    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--nodes', type=int, required=True, help='cloud nodes')
    parser.add_argument('--gpus', type=float, default=0, help='of each node; 0 computes on CPUs')
    parser.add_argument('vehicles', nargs='+', metavar='NAMESPACE')
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    ray.init()
    actor = ray.remote(num_cpus=1, num_gpus=args.gpus)(CloudNode)
    device = 'cuda' if args.gpus else 'cpu'
    commands = [command_of(args.vehicles[i :: args.nodes], device) for i in range(args.nodes)]
    nodes = [actor.remote(command) for command in commands]
    try:
        while True:
            for number, node in enumerate(nodes):
                try:
                    status = ray.get(node.status.remote())
                except ray.exceptions.RayActorError:
                    status = 'lost with its machine'
                if status is not None:
                    print(f'cloud node {number} ended ({status}); starting it again', flush=True)
                    ray.kill(node)
                    nodes[number] = actor.remote(commands[number])
            time.sleep(PERIOD_S)
    except KeyboardInterrupt:
        ray.shutdown()


if __name__ == '__main__':
    main()
