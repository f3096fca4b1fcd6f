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

"""What the figures say, in words: whether cutting the network was worth it on this drive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import enum

from dads_ros.report.accuracy import accuracy_gain
from dads_ros.report.record import MAIN_METHOD
from dads_ros.report.schema import LinkKind
from dads_ros.report.schema import RunInfo
from dads_ros.report.stats import Ratio
from dads_ros.report.stats import ratio_of_means
from dads_ros.report.summary import Summary

# Below this nobody would notice, whatever the interval says.
_NOTICEABLE = 0.05
# An interval wider than this on either side settles nothing.
_UNSETTLED = 0.25
_LESS_ACCURATE = 0.02
_FEWER_BYTES = 1.5

_METHODS = {
    MAIN_METHOD: 'the moving cut',
    'edge-only': 'everything on the car',
    'cloud-only-jpeg': 'uploading each frame as a JPEG',
    'cloud-only-raw': 'uploading each frame raw',
}
_LINKS = {
    LinkKind.EMULATED: 'an emulated link',
    LinkKind.SHAPED: 'a shaped link between two hosts on one machine',
    LinkKind.REAL: 'a real link',
    LinkKind.NONE: "this machine's loopback",
}


class Standing(enum.Enum):
    """How the moving cut stands beside a baseline, by the mean age of the newest detections."""

    BETTER = enum.auto()
    SAME = enum.auto()
    WORSE = enum.auto()
    UNSETTLED = enum.auto()


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    The moving cut beside one baseline.

    ``ratio`` is the baseline's mean age over the moving cut's: 2 means twice as old. None when one
    of them published nothing, or the runs are too short. ``accuracy_gain`` is how much more AP50
    the moving cut had, on the frames that each answered; 0 where that is not known.
    """

    method: str
    ratio: Ratio | None
    standing: Standing
    accuracy_gain: float

    @property
    def less_accurate(self) -> bool:
        """Return whether the baseline found noticeably less."""
        return self.accuracy_gain > _LESS_ACCURATE

    @property
    def more_accurate(self) -> bool:
        """Return whether the baseline found noticeably more."""
        return self.accuracy_gain < -_LESS_ACCURATE


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What a session says.

    ``headline`` tells what was measured, ``worth`` whether the surgery paid, ``reservations`` what
    the mean age alone would hide.
    """

    headline: str
    worth: str
    reservations: tuple[str, ...]
    comparisons: tuple[Comparison, ...]


def method_words(method: str) -> str:
    """Return what a method does, in words."""
    return _METHODS.get(method, method)


def link_words(info: RunInfo) -> str:
    """Return what the bundles travelled over, its description included."""
    return f'{_LINKS[info.link.kind]} ({info.link.description})'


def compare(main: Summary, baseline: Summary) -> Comparison:
    """Return how the moving cut stands beside a baseline."""
    ratio = ratio_of_means(baseline.age_s, main.age_s)
    gain = accuracy_gain(baseline.run, main.run)
    return Comparison(baseline.method, ratio, _standing(main, baseline, ratio), gain)


def judge(info: RunInfo, summaries: Sequence[Summary]) -> Verdict:
    """
    Return the verdict on a session.

    :param info: of the adaptive run, or of the first when there is none.
    :param summaries: of all runs, in any order.
    """
    main = next((s for s in summaries if s.method == MAIN_METHOD), None)
    if main is None:
        return Verdict('This session holds no run of it.', 'The moving cut was not run.', (), ())
    others = tuple(compare(main, s) for s in summaries if s is not main)
    worth = _worth(main, others, summaries)
    reservations = _reservations(main, others, summaries)
    return Verdict(_headline(info, main, others), worth, reservations, others)


def _standing(main: Summary, baseline: Summary, ratio: Ratio | None) -> Standing:
    if ratio is None:
        # One that published nothing is beaten by one that did, for long enough to tell.
        ours, theirs = (ratio_of_means(s.age_s, s.age_s) for s in (main, baseline))
        if ours and not baseline.answered:
            return Standing.BETTER
        if theirs and not main.answered:
            return Standing.WORSE
        return Standing.UNSETTLED
    if ratio.low > 1 and ratio.value > 1 + _NOTICEABLE:
        return Standing.BETTER
    if ratio.high < 1 and ratio.value < 1 / (1 + _NOTICEABLE):
        return Standing.WORSE
    settled = ratio.low > 1 - _UNSETTLED and ratio.high < 1 + _UNSETTLED
    return Standing.SAME if settled else Standing.UNSETTLED


def _headline(info: RunInfo, main: Summary, others: Sequence[Comparison]) -> str:
    where = f'Over {link_words(info)}'
    if main.mean_age_s is None or main.latency is None:
        return f'{where}, the moving cut published no detections in {main.frames} frames.'
    text = (
        f"{where}, the moving cut kept the car's newest detections {_ms(main.mean_age_s)} old on "
        f'average, {main.answered} of {main.frames} frames answered'
    )
    told = [_told(o) for o in others if o.ratio is not None or o.standing is Standing.BETTER]
    return f'{text}. {_sentence("; ".join(told))}' if told else f'{text}.'


def _told(other: Comparison) -> str:
    name = method_words(other.method)
    if other.ratio is None:
        return f'{name} published no detections'
    if other.standing is Standing.SAME:
        return f'{name} was as fresh'
    if other.standing is Standing.UNSETTLED:
        return f'{name} could not be told apart'
    if other.standing is Standing.BETTER:
        return f'with {name} they were {other.ratio.value:.1f} times as old'
    return f'with {name} they were fresher, {other.ratio.value:.2f} of that age'


def _worth(main: Summary, others: Sequence[Comparison], summaries: Sequence[Summary]) -> str:
    if not others:
        return 'No baseline was run, so nothing can be said about the gain.'
    rivals = [o for o in others if o.standing in (Standing.SAME, Standing.WORSE)]
    honest = [o for o in rivals if not o.less_accurate]
    if not honest and any(o.standing is Standing.UNSETTLED for o in others):
        return (
            'The run is too short to say whether the surgery was worth it; replay a longer clip.'
        )
    if not honest:
        but = [_less_accurate(o) for o in rivals]
        but += [
            f'{method_words(o.method)} was not as fresh but more accurate, by '
            f'{-o.accuracy_gain:.3f} of AP50 on the frames that both answered'
            for o in others
            if o.standing is Standing.BETTER and o.more_accurate
        ]
        return ' '.join([_gained(main), *map(_sentence, but)])
    best = min(honest, key=lambda o: o.ratio.value if o.ratio else 1.0)
    how = 'was as good' if best.standing is Standing.SAME else 'was better'
    text = f'Surgery was not worth it here: {method_words(best.method)} {how}.'
    return text + _saved(main, next(s for s in summaries if s.method == best.method))


def _gained(main: Summary) -> str:
    if any(use.partial for use in main.plans):
        return 'Surgery was worth it here.'
    return (
        'Moving between the car and the cloud was worth it here; '
        'cutting the network had no part in it.'
    )


def _less_accurate(other: Comparison) -> str:
    fresh = 'as fresh' if other.standing is Standing.SAME else 'fresher'
    return (
        f'{method_words(other.method)} was {fresh} but less accurate, by '
        f'{other.accuracy_gain:.3f} of AP50 on the frames that both answered'
    )


def _reservations(
    main: Summary, others: Sequence[Comparison], summaries: Sequence[Summary]
) -> tuple[str, ...]:
    texts = []
    cut = sum(use.frames for use in main.plans if use.partial)
    if main.plans and not cut:
        texts.append('The network was never cut: it ran whole, on the car or in the cloud.')
    elif 2 * cut < main.answered:
        texts.append(f'The network was cut for {cut} of the {main.answered} answered frames.')
    for other in others:
        rival = next(s for s in summaries if s.method == other.method)
        if other.standing is not Standing.BETTER or not main.latency or not rival.latency:
            continue
        if rival.latency.p50_s * (1 + _NOTICEABLE) < main.latency.p50_s:
            texts.append(
                f'By median latency alone, {method_words(rival.method)} was quicker '
                f'({_ms(rival.latency.p50_s)} against {_ms(main.latency.p50_s)}), but 5 % of the '
                f'time its newest detections were over {_ms(rival.p95_age_s or 0.0)} old, against '
                f'{_ms(main.p95_age_s or 0.0)}.'
            )
    return tuple(texts)


def _saved(main: Summary, rival: Summary) -> str:
    """Return what can be said for the moving cut all the same: bytes."""
    if not main.total_bytes or rival.total_bytes < _FEWER_BYTES * main.total_bytes:
        return ''
    factor = rival.total_bytes / main.total_bytes
    return f' It did send {factor:.1f} times the bytes.'


def _sentence(text: str) -> str:
    return f'{text[0].upper()}{text[1:]}.'


def _ms(seconds: float) -> str:
    return f'{seconds * 1e3:.0f} ms'
