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

from pathlib import Path
import re
import xml.etree.ElementTree as ElementTree

from setuptools import find_packages
from setuptools import setup

# `pip install .` gives what needs no ROS: the library and the `dads` command. The messages and the
# nodes come with colcon (CMakeLists.txt).
here = Path(__file__).parent
package = ElementTree.parse(here / 'package.xml').getroot()
requirements = (here / 'requirements/core.txt').read_text(encoding='utf-8')

setup(
    name='dads_ros',
    version=package.findtext('version'),
    description=' '.join(package.findtext('description').split()),
    license='Apache-2.0',
    license_files=['LICENSE'],
    author='dads_ros developers',
    python_requires='>=3.10',
    # The pins say what was tested, not what is needed.
    install_requires=re.findall(r'^([A-Za-z][\w.-]*)==', requirements, re.MULTILINE),
    extras_require={'video': ['av']},  # its FFmpeg is GPL-built: no node imports it
    packages=find_packages(include=['dads_ros*'], exclude=['dads_ros.nodes*']),
    package_data={'': ['**/*']},  # weights and pages, but no module of what is left out above
    exclude_package_data={'': ['*.py', '*.pyc']},
    entry_points={'console_scripts': ['dads = dads_ros.cli.main:main']},
    zip_safe=False,
)
