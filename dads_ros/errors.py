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
The errors a user of dads_ros can cause, each told in one line.

A message says what is wrong, with the value in quotes, and then what to do. The command line and
the nodes print it without a traceback; anything that is not a DadsError is a bug and keeps its
own.
"""


class DadsError(Exception):
    """A mistake in what the user gave, or a limit of the package; its text is for the user."""


class GraphError(DadsError):
    """A layer graph is malformed: a cycle, an unknown id, a negative number."""


class CaptureError(DadsError):
    """A network cannot be captured as a layer graph."""


class CutError(DadsError):
    """A set of boundary tensors is not a legal cut of the model."""


class ProfileError(DadsError):
    """A profile is unreadable, incomplete, or of another model."""


class PlanError(DadsError):
    """No plan meets what was asked for."""


class CodecError(DadsError):
    """A tensor cannot be encoded, or the bytes are not what the codec wrote."""


class BundleError(DadsError):
    """A bundle or result from the network failed a check; it is counted and dropped."""


class ConfigError(DadsError):
    """A parameter or a command-line value is not allowed."""


class MediaError(DadsError):
    """A video, bag or image cannot be read or written."""


class TraceError(DadsError):
    """A link trace is unreadable or malformed."""


class RecordError(DadsError):
    """A recorded run is missing, corrupt, or not comparable with the others."""


class ProcessError(DadsError):
    """A program of a run cannot be started, ended too early, or was not ready in time."""


class HostError(DadsError):
    """Two hosts cannot be set up on this machine: a right, a command or a kernel feature lacks."""
