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

"""Edge and monitor in one process: less memory, and no hop through the host between them."""

from __future__ import annotations

import sys

from dads_ros.nodes import base
from dads_ros.nodes.edge import EdgeNode
from dads_ros.nodes.monitor import MonitorNode


def main() -> int:
    """Run both nodes; the process ends when one of them does."""
    return base.run(EdgeNode, MonitorNode)


if __name__ == '__main__':
    sys.exit(main())
