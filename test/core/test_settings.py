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

"""Every parameter has a default that its own limits allow, and a meaning."""

from dads_ros.errors import ConfigError
from dads_ros.monitor.limits import PolicyLimits
from dads_ros.monitor.link import LinkEstimator
from dads_ros.pipeline.cloud import CloudLimits
from dads_ros.pipeline.edge import EdgeLimits
from dads_ros.settings import ALL_SETTINGS
from dads_ros.settings import check
from dads_ros.settings import CloudSettings
from dads_ros.settings import defaults_of
from dads_ros.settings import EdgeSettings
from dads_ros.settings import limits_of
from dads_ros.settings import MonitorSettings
import pytest

PARAMETERS = [
    (settings, name) for settings in ALL_SETTINGS.values() for name in limits_of(settings)
]


@pytest.mark.parametrize(('settings', 'name'), PARAMETERS)
def test_default_is_allowed_and_has_a_meaning(settings, name):
    check(settings, name, defaults_of(settings)[name])
    limits = limits_of(settings)[name]
    assert limits.meaning and limits.meaning[-1] in '.,' and not limits.meaning.endswith(' ')


@pytest.mark.parametrize(
    ('settings', 'limits'),
    [
        (EdgeSettings, EdgeLimits()),
        (CloudSettings, CloudLimits()),
        (MonitorSettings, PolicyLimits()),
    ],
)
def test_defaults_are_those_of_the_core(settings, limits):
    defaults = defaults_of(settings)
    shared = [name for name in limits.__dataclass_fields__ if name in defaults]
    assert len(shared) >= 3
    assert {name: defaults[name] for name in shared} == {n: getattr(limits, n) for n in shared}


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('miss_limit', 0, "parameter 'miss_limit' is 0; it must be at least 1"),
        ('miss_limit', 101, "parameter 'miss_limit' is 101; it must be at most 100"),
        ('miss_limit', True, "parameter 'miss_limit' must be a int, not True"),
        ('miss_limit', 1.5, "parameter 'miss_limit' must be a int, not 1.5"),
        ('compressed', 1, "parameter 'compressed' must be a bool, not 1"),
        ('watchdog_s', 'x', "parameter 'watchdog_s' must be a float, not 'x'"),
        ('watchdog_s', float('nan'), "parameter 'watchdog_s' must be a number, not nan"),
        ('device', 'tpu', "parameter 'device' is 'tpu'; use one of cpu, cuda, cuda-half"),
        ('nothing', 1, "parameter 'nothing' is unknown; see the parameter reference"),
    ],
)
def test_bad_value_is_refused_with_what_is_allowed(name, value, message):
    with pytest.raises(ConfigError) as caught:
        check(EdgeSettings, name, value)
    assert str(caught.value) == message


def test_whole_numbers_are_floats_too():
    check(EdgeSettings, 'watchdog_s', 3)


def test_pauses_shorter_than_the_deadline_floor_are_borne():
    assert LinkEstimator()._patience_s < PolicyLimits().deadline_floor_s
