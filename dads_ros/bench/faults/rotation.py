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

"""Keys of the rig's vehicle, and how they are changed while the nodes run."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import time

from dads_ros.bench.faults.cast import NAMESPACE
from dads_ros.bench.faults.rig import Rig
from dads_ros.bench.faults.scenarios import Scenario
from dads_ros.security.keys import KEY_BYTES
from dads_ros.security.keys import LOOK_PERIOD_S
from dads_ros.security.keys import SUFFIX

# Until all nodes have seen a changed file, and made use of it.
IN_FORCE_S = 2 * LOOK_PERIOD_S + 0.2


@dataclass(frozen=True)
class Keys:
    """
    One vehicle's key files, its own and the cloud's, as two hosts would have them.

    :param files: the car's file, and the one in the cloud's folder.
    """

    files: tuple[Path, Path]

    @classmethod
    def made(cls, folder: Path) -> Keys:
        """Make a key, and a file of it for the car and one for the cloud."""
        keys = cls((folder / 'car' / 'own.key', folder / 'cloud' / f'{NAMESPACE[1:]}{SUFFIX}'))
        for file in keys.files:
            file.parent.mkdir(parents=True)
        keys.write(_random_key())
        return keys

    @property
    def parameters(self) -> dict[str, dict[str, object]]:
        """Return the parameters by which the rig's nodes use the keys."""
        on_car, in_cloud = self.files
        return {
            **{name: {'key_file': str(on_car)} for name in ('edge', 'monitor', 'recorder')},
            'cloud': {'key_folder': str(in_cloud.parent)},
        }

    @property
    def rotation(self) -> Scenario:
        """Return the scenario in which the key is changed as docs/security.md says."""
        return Scenario('key changed on all hosts', self._rotate)

    def write(self, *keys: str) -> None:
        """Replace both files, each at once: nodes read them meanwhile."""
        for file in self.files:
            fresh = file.with_suffix('.fresh')
            fresh.touch(mode=0o600)
            fresh.write_text('\n'.join(keys) + '\n', encoding='ascii')
            fresh.replace(file)

    def _rotate(self, rig: Rig) -> int:
        old, new = self.files[0].read_text(encoding='ascii').strip(), _random_key()
        for keys in ((old, new), (new, old), (new,)):
            self.write(*keys)
            rig.wait(IN_FORCE_S)
        healed_ns = time.monotonic_ns()
        rig.wait_for_cloud()
        return healed_ns


def _random_key() -> str:
    return os.urandom(KEY_BYTES).hex()
