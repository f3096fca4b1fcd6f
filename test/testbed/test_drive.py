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

"""The real nodes on the testbed, as a user starts them: one JSON, and nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
from pathlib import Path
import signal
import subprocess
import sys
import time

from dads_ros.bench.testbed.accounts import unaccounted
from dads_ros.pipeline.frame import Outcome
from dads_ros.report.record import load_run
from dads_ros.report.schema import LinkKind
from dads_ros.testbed.quota import find_controller
import pytest

pytestmark = [pytest.mark.root, pytest.mark.ros, pytest.mark.usefixtures('needs_controller')]

NAMESPACES = Path('/run/netns')
PATIENCE_S = 120.0
# A good link, a poor one, none, and a good one again.
TRACE = 'time_s,uplink_mbps\n0,6\n2,0.3\n4,0\n6,6\n'
SECONDS = 10.0


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    (folder / 'trace.csv').write_text(TRACE)
    command = [sys.executable, '-m', 'dads_ros.testbed', '--trace', 'trace.csv', *arguments]
    with (
        (folder / 'stderr').open('w') as errors,
        subprocess.Popen(
            [*command, '--edge-slowdown', '8', '-o', 'out'],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def left_behind(pid: int) -> list[Path]:
    """Return the namespaces and control groups of a testbed."""
    groups = find_controller(Path('/proc/mounts')).glob(f'dads-{pid}-*')
    return [*NAMESPACES.glob(f'dads-{pid}-*'), *groups]


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have."""
    found: list[int] = []
    for task in Path(f'/proc/{pid}/task').glob('*'):
        for child in (task / 'children').read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def test_a_drive_along_a_trace_leaves_one_json_and_nothing_else(tmp_path: Path) -> None:
    with started(tmp_path, '--seconds', str(SECONDS)) as process:
        printed, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, (tmp_path / 'stderr').read_text()
    result = json.loads(printed)
    assert result == json.loads((tmp_path / 'out/testbed.json').read_text())
    run = load_run(tmp_path / 'out/runs/dads')
    assert run.info.link.kind is LinkKind.SHAPED
    assert unaccounted(run) == 0
    ways = {frame.outcome for frame in run.frames}
    assert Outcome.VIA_CLOUD in ways, 'no frame crossed the link'
    assert ways & {Outcome.LOCAL, Outcome.LOCAL_AFTER_MISS}, 'the link was gone for two seconds'
    (figures,) = result['report']['methods']
    counted = run.frames[run.info.warmup_frames :]
    assert figures['answered'] == sum(frame.outcome.is_published for frame in counted)
    assert result['testbed']['dads']['uplink_bytes'] > 10_000
    assert left_behind(process.pid) == []


def test_an_interrupted_drive_leaves_nothing_behind(tmp_path: Path) -> None:
    with started(tmp_path, '--seconds', '600') as process:
        log, deadline_s = tmp_path / 'out/logs/dads/player.log', time.monotonic() + PATIENCE_S
        while not (log.exists() and ': playing' in log.read_text()):
            assert process.poll() is None, (tmp_path / 'stderr').read_text()
            assert time.monotonic() < deadline_s, 'the nodes did not start'
            time.sleep(0.1)
        nodes = descendants(process.pid)
        assert len(nodes) >= 5
        assert left_behind(process.pid), 'there was nothing to remove'
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert (tmp_path / 'stderr').read_text().strip().endswith('stopped')
    assert left_behind(process.pid) == []
    assert [pid for pid in nodes if Path(f'/proc/{pid}').exists()] == []


def test_the_bench_follows_a_trace_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / 'trace.csv').write_text('time_s,uplink_mbps\n100,6\n103,2\n')
    command = [sys.executable, '-m', 'dads_ros.cli.main', 'bench', 'testbed', '--json', '--quick']
    done = subprocess.run(
        [*command, '--trace', 'trace.csv', '--clip', 'scene'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    found = result['traces']['trace']
    assert found['seconds'] == 6.0  # the last sample lasts as long as the first
    assert found['ours']['answered'] > 40
    assert result['mean_latency_over_oracle'] == {'trace': found['over_oracle']}
    assert 0.5 < found['over_oracle'] < 5
    assert 0 < result['monitor_cpu'] < 0.2
    assert (result['frames_unaccounted'], result['frames_out_of_order']) == (0, 0)
    assert result['failed'] == result['left_out'] == []
