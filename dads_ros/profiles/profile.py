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
A profile: what every layer takes on one machine, and what every tensor weighs in every codec.

Measured by :mod:`dads_ros.profiles.profiling`; reading one needs neither torch nor the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from dads_ros.errors import GraphError
from dads_ros.errors import ProfileError
from dads_ros.graph import Layer
from dads_ros.graph import LayerGraph
from dads_ros.report.atomic import write_text

FORMAT = 2
SIDES = ('edge', 'cloud', 'both')


@dataclass(frozen=True, slots=True)
class CodecCost:
    """What one tensor takes in one codec: bytes (mean and 95% quantile) and median seconds."""

    bytes_mean: float
    bytes_p95: float
    encode_s: float
    decode_s: float


@dataclass(frozen=True)
class CompiledCut:
    """
    The one cut whose halves were compiled, and how far their results are from the reference's.

    :param boundary: ``()`` when the whole network alone was compiled.
    :param output_difference: largest difference of a raw output, absolute.
    :param box_difference_px: largest move of a box's edge.
    :param frames_changed: frames in which other objects were found.
    :param shares: seconds, compiled over plain: of the ``whole``, the ``head``, the ``tail``.
    """

    boundary: tuple[str, ...]
    output_difference: float
    box_difference_px: float
    frames_changed: int
    shares: dict[str, float]


@dataclass(frozen=True)
class Profile:
    """
    One machine's measurements of one model.

    :param graph: the network's layers; its hash names the model.
    :param side: where this machine works: 'edge', 'cloud' or 'both'.
    :param layer_s: seconds of each layer, of inputs to load them, of ``detections`` to decode.
    :param call_s: seconds that running a half takes besides its layers.
    :param codecs: costs by tensor, then by codec; a codec that cannot take a tensor is absent.
    :param fit_error: 90% quantile of |predicted / measured - 1| over the halves measured.
    :param frames: how many frames the sizes come from.
    :param compiled: what was compiled; other cuts are then not to be chosen. None: nothing.
    """

    graph: LayerGraph
    detector: str
    side: str
    machine: str
    device: str
    threads: int
    created: str
    versions: dict[str, str]
    frames: int
    fit_error: float
    layer_s: dict[str, float]
    call_s: float
    codecs: dict[str, dict[str, CodecCost]]
    compiled: CompiledCut | None = None

    @property
    def model_hash(self) -> str:
        """Return the hash of the network that was measured."""
        return self.graph.model_hash

    @property
    def whole_s(self) -> float:
        """Return what a frame takes without a cut."""
        return self.call_s + sum(self.layer_s.values())

    def require(self, model_hash: str) -> None:
        """Raise ProfileError when the profile is of another model."""
        if self.model_hash != model_hash:
            raise ProfileError(
                f'profile of detector {self.detector!r} on {self.machine!r} is of another model '
                f'({self.model_hash[:8]}, not {model_hash[:8]}); measure again with dads profile'
            )

    def save(self, path: Path) -> None:
        """Write the profile as JSON, whole or not at all."""
        write_text(path, json.dumps({'format': FORMAT, **asdict(self)}, indent=1) + '\n')

    @classmethod
    def load(cls, path: Path) -> Profile:
        """
        Return the profile in a file.

        Raises ProfileError when it is missing, malformed or of another version.
        """
        try:
            data = json.loads(path.read_text(encoding='utf-8'))
        except OSError as error:
            raise ProfileError(
                f'profile {str(path)!r} cannot be read: {error.strerror}'
            ) from error
        except ValueError as error:
            raise ProfileError(f'profile {str(path)!r} is not JSON: {error}') from error
        if not isinstance(data, dict) or data.pop('format', None) != FORMAT:
            raise ProfileError(
                f'{str(path)!r} is not a profile of this version; measure it with dads profile'
            )
        try:
            return cls._from_json(data)
        except (KeyError, TypeError, ValueError, AttributeError, GraphError) as error:
            raise ProfileError(
                f'profile {str(path)!r} is malformed ({error!r}); measure it again'
            ) from error

    @classmethod
    def _from_json(cls, data: dict[str, Any]) -> Profile:
        codecs = {
            tensor: {name: CodecCost(**_numbers(cost)) for name, cost in costs.items()}
            for tensor, costs in data.pop('codecs').items()
        }
        layer_s = _numbers(data.pop('layer_s'))
        call_s = _numbers({'call_s': data.pop('call_s')})['call_s']
        graph = _graph(data.pop('graph'))
        if set(layer_s) != set(graph.index) or not set(codecs) <= set(graph.index):
            raise ValueError('layers and times do not match')
        compiled = _compiled(data.pop('compiled', None), graph)
        return cls(
            **data, graph=graph, layer_s=layer_s, call_s=call_s, codecs=codecs, compiled=compiled
        )


def _graph(data: dict[str, Any]) -> LayerGraph:
    layers = (
        Layer(
            str(layer['id']),
            str(layer['op']),
            tuple(layer['inputs']),
            tuple(int(size) for size in layer['shape']),
            str(layer['dtype']),
        )
        for layer in data['layers']
    )
    return LayerGraph(tuple(layers), tuple(data['outputs']), str(data['model_hash']))


def _compiled(data: dict[str, Any] | None, graph: LayerGraph) -> CompiledCut | None:
    if data is None:
        return None
    boundary = tuple(str(name) for name in data['boundary'])
    if not set(boundary) <= set(graph.index):
        raise ValueError(f'compiled cut {boundary} is not one of these layers')
    differences = _numbers(
        {name: data[name] for name in ('output_difference', 'box_difference_px')}
    )
    return CompiledCut(
        boundary,
        **differences,
        frames_changed=int(data['frames_changed']),
        shares=_numbers(data['shares']),
    )


def _numbers(values: Mapping[str, object]) -> dict[str, float]:
    """Return the mapping; raise ValueError unless every value is a number of at least 0."""
    for name, value in values.items():
        if not isinstance(value, (int, float)) or not 0 <= value < float('inf'):
            raise ValueError(f'{name} is {value!r}')
    return dict(values)  # type: ignore[arg-type]
