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
Sphinx: the pages of this folder as a small site, by scripts/docs.

Sphinx because it is what ROS's own documentation is built with and is maintained; MyST so that the
pages stay the Markdown that a code host shows; Furo because it is light, dark and fit for a phone
without fetching anything.
"""

from pathlib import Path
import xml.etree.ElementTree as ElementTree

package = ElementTree.parse(Path(__file__).parents[1] / 'package.xml').getroot()
project = 'dads_ros'
author = 'dads_ros developers'
version = release = package.findtext('version')
copyright = f'2026 {author}'

extensions = ['myst_parser']
myst_heading_anchors = 3
nitpicky = True
html_theme = 'furo'
html_title = f'dads_ros {release}'
html_show_sphinx = False
