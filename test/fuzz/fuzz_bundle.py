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
The coverage-guided fuzzer on the cloud's way of a bundle; stops at the first input that breaks it.

``scripts/run python test/fuzz/fuzz_bundle.py -atheris_runs=100000 test/fuzz/corpus`` goes on from
the corpus and adds to it what reaches new code; ``-close_fd_mask=2`` keeps the deserialiser quiet.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=['dads_ros']):
    from dads_ros.bench.faults.fuzz_target import Target


def main() -> None:
    target = Target()
    atheris.Setup(sys.argv, lambda data: (target.feed(data), None)[1])
    atheris.Fuzz()


if __name__ == '__main__':
    main()
