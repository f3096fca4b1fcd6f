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
Compile the halves of one cut for this machine, and put their speed into its profile.

Which cut is chosen when the profile is measured. The whole network and this side's half of the cut
are compiled; other cuts stay plain, so the planner leaves them out of a compiled profile. What the
compiled form takes, it takes in shares of the plain one, measured in turns: layers are multiplied
by their half's share, and the codecs' figures stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from dads_ros.detections import Detections
from dads_ros.detector.api import Detector
from dads_ros.model import compiled
from dads_ros.model import surgery
from dads_ros.model import timing
from dads_ros.model.capture import Model
from dads_ros.partition.situation import Situation
from dads_ros.profiles import planning
from dads_ros.profiles.calibration import Calibration
from dads_ros.profiles.profile import CompiledCut
from dads_ros.profiles.profile import Profile
import numpy as np
import torch
from tqdm import tqdm

_ROUNDS = 30
# Situations that vote for the cut to compile.
_UPLINKS_BPS = tuple(float(rate) for rate in np.geomspace(2e5, 1e8, 40))
_EDGE_FACTORS = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class _Pair:
    """One half in both forms."""

    plain: surgery.Half
    fast: surgery.Half


def steady_cut(profile: Profile, calibration: Calibration | None) -> tuple[str, ...]:
    """
    Return the cut that is best most often, over uplinks and edges of many speeds.

    Uploading the frame and computing everything on the car are not counted.
    :return: its boundary; ``()`` when no cut inside the network is ever best.
    """
    machine = replace(profile, side='both')
    table = planning.build_table(
        profile.graph, machine, machine, accuracy_budget=0.01, calibration=calibration
    )
    votes: Counter[tuple[str, ...]] = Counter()
    for edge_factor in _EDGE_FACTORS:
        for uplink_bps in _UPLINKS_BPS:
            plan = table.plan(Situation(uplink_bps, 0.0, edge_factor), 'light')
            if plan.boundary not in ((), profile.graph.inputs):
                votes[plan.boundary] += 1
    return votes.most_common(1)[0][0] if votes else ()


def compile_cut(
    detector: Detector,
    model: Model,
    frames: Sequence[np.ndarray],
    plain: Profile,
    boundary: tuple[str, ...],
    *,
    progress: bool = False,
) -> Profile:
    """
    Compile, measure, and return the profile of a machine that runs compiled halves.

    :param plain: this machine's profile of the plain halves.
    :param boundary: the cut; ``()`` compiles the whole network alone.
    Raises CutError when it is no cut, ConfigError when the profile is not of the CPU or the
    compiler fails.
    """
    compiled.require_cpu(plain.device)
    pairs = _pairs(model, plain.side, boundary)
    with tqdm(total=len(pairs) + 1, disable=not progress, unit='half', desc='compile') as bar:
        for pair in pairs.values():
            compiled.compile_half(model, pair.plain)
            compiled.upgrade(model, pair.fast)
            bar.update()
        shares = _shares(model, pairs, frames)
        found = _compare(detector, pairs, frames)
        bar.update()
    layer_s, error = _scaled(plain, boundary, shares)
    return replace(
        plain,
        layer_s=layer_s,
        fit_error=max(plain.fit_error, error),
        compiled=replace(found, boundary=boundary, shares=shares),
    )


def _pairs(model: Model, side: str, boundary: tuple[str, ...]) -> dict[str, _Pair]:
    inputs = model.graph.inputs
    pairs = {'whole': _Pair(surgery.tail(model, inputs), surgery.tail(model, inputs))}
    if boundary and side != 'cloud':
        pairs['head'] = _Pair(surgery.head(model, boundary), surgery.head(model, boundary))
    if boundary and side != 'edge':
        pairs['tail'] = _Pair(surgery.tail(model, boundary), surgery.tail(model, boundary))
    return pairs


def _shares(
    model: Model, pairs: dict[str, _Pair], frames: Sequence[np.ndarray]
) -> dict[str, float]:
    """Return the median of each half's seconds, compiled over plain, round by round."""
    now = timing.clock('cpu')
    ratios: dict[str, list[float]] = {name: [] for name in pairs}
    feed = surgery.head(model, pairs['tail'].plain.input_names) if 'tail' in pairs else None
    for frame in timing.rounds(frames, _ROUNDS):
        for name, pair in pairs.items():
            arrays = feed(frame) if name == 'tail' and feed is not None else (frame,)
            with torch.inference_mode():
                tensors = pair.plain.load(*arrays)
                start = now()
                pair.plain.run(tensors)
                middle = now()
                pair.fast.run(tensors)
                ratios[name].append((now() - middle) / (middle - start))
    return {name: float(np.median(values)) for name, values in ratios.items()}


def _scaled(
    plain: Profile, boundary: tuple[str, ...], shares: dict[str, float]
) -> tuple[dict[str, float], float]:
    """Return layer times of the compiled halves, and by how much their sum misses the whole's."""
    graph = plain.graph
    computed = {layer.id for layer in graph.layers if layer.op not in ('input', 'detections')}
    tail = computed & set(graph.cloud_layers(boundary)) if boundary else computed
    head = computed - tail
    head_s, tail_s = (sum(plain.layer_s[name] for name in part) for part in (head, tail))
    whole_s = shares['whole'] * (head_s + tail_s)
    # The half that was not compiled is the other side's; here it only runs within the whole.
    if 'head' in shares:
        rest = (whole_s - shares['head'] * head_s) / tail_s
        head_share, tail_share = shares['head'], shares.get('tail', max(0.0, rest))
    elif 'tail' in shares:
        tail_share = shares['tail']
        head_share = max(0.0, (whole_s - tail_share * tail_s) / head_s)
    else:
        head_share = tail_share = shares['whole']
    layer_s = dict(plain.layer_s)
    layer_s.update({name: plain.layer_s[name] * head_share for name in head})
    layer_s.update({name: plain.layer_s[name] * tail_share for name in tail})
    return layer_s, abs((head_share * head_s + tail_share * tail_s) / whole_s - 1)


def _compare(
    detector: Detector, pairs: dict[str, _Pair], frames: Sequence[np.ndarray]
) -> CompiledCut:
    """Return how far compiled halves are from the reference: the whole, and both in a row."""
    output, box_px, changed = 0.0, 0.0, 0
    for frame in frames:
        expected = pairs['whole'].plain(frame)
        results = [pairs['whole'].fast(frame)]
        if 'head' in pairs and 'tail' in pairs:
            results.append(pairs['tail'].fast(*pairs['head'].fast(frame)))
        moves = []
        for result in results:
            for a, b in zip(result, expected, strict=True):
                output = max(output, float(np.abs(a.astype(float) - b).max(initial=0.0)))
            moves.append(_moved(detector.decode(result), detector.decode(expected)))
        changed += any(move is None for move in moves)
        box_px = max([box_px, *(move for move in moves if move is not None)])
    return CompiledCut((), output, box_px, changed, {})


def _moved(found: Detections, expected: Detections) -> float | None:
    """Return how far a box's edge moved at most; None when other objects were found."""
    if not np.array_equal(found.class_ids, expected.class_ids):
        return None
    return float(np.abs(found.boxes - expected.boxes).max(initial=0.0))
