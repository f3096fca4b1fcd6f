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

"""A calibration: the accuracy that each (cut, codec) pair costs, measured and saved."""

from __future__ import annotations

from dataclasses import asdict
from dataclasses import dataclass
from functools import cached_property
import json
from pathlib import Path

from dads_ros.errors import ProfileError
from dads_ros.report.atomic import write_text

FORMAT = 1
SHIPPED = Path(__file__).parents[1] / 'detector' / 'weights'


@dataclass(frozen=True, slots=True)
class CodecAccuracy:
    """AP at IoU 0.5 of the frames sent through one codec at one cut, weighed as the whole's."""

    boundary: tuple[str, ...]
    codec: str
    ap50: float


@dataclass(frozen=True)
class Calibration:
    """
    What codecs cost one model in accuracy, the same on every machine.

    :param reference: what counts as true: ``labels``, or ``detector``, its own float32 output.
    :param ap50: of the detector with nothing lost on the way; 1 against its own output. The
        classes count as often as they have true boxes.
    :param frames: how many frames were used.
    """

    model_hash: str
    reference: str
    frames: int
    ap50: float
    rows: tuple[CodecAccuracy, ...]

    @cached_property
    def _by_pair(self) -> dict[tuple[tuple[str, ...], str], float]:
        return {(row.boundary, row.codec): row.ap50 for row in self.rows}

    def drop(self, boundary: tuple[str, ...], codec: str) -> float | None:
        """Return how much AP the pair costs, or None when it was not measured."""
        ap50 = self._by_pair.get((boundary, codec))
        return None if ap50 is None else self.ap50 - ap50

    def require(self, model_hash: str) -> None:
        """Raise ProfileError when the calibration is of another model."""
        if self.model_hash != model_hash:
            raise ProfileError(
                f'calibration is of another model ({self.model_hash[:8]}, not {model_hash[:8]}); '
                'measure it again with dads calibrate'
            )

    def save(self, path: Path) -> None:
        """Write the calibration as JSON, whole or not at all."""
        write_text(path, json.dumps({'format': FORMAT, **asdict(self)}, indent=1) + '\n')

    @classmethod
    def find(cls, path: Path | None, model_hash: str) -> Calibration | None:
        """
        Return the calibration in a file, or without one what ships with a model of this package.

        :return: None when there is neither; only what keeps every bit may be sent then.
        Raises ProfileError as ``load`` does.
        """
        if path is not None:
            return cls.load(path)
        found = (cls.load(file) for file in sorted(SHIPPED.glob('*.calibration.json')))
        return next((c for c in found if c.model_hash == model_hash), None)

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """
        Return the calibration in a file.

        Raises ProfileError when it is missing, malformed or of another version.
        """
        try:
            data = json.loads(path.read_text(encoding='utf-8'))
        except OSError as error:
            raise ProfileError(
                f'calibration {str(path)!r} cannot be read: {error.strerror}'
            ) from error
        except ValueError as error:
            raise ProfileError(f'calibration {str(path)!r} is not JSON: {error}') from error
        if not isinstance(data, dict) or data.pop('format', None) != FORMAT:
            raise ProfileError(
                f'{str(path)!r} is no calibration of this version; measure it with dads calibrate'
            )
        try:
            rows = tuple(
                CodecAccuracy(tuple(row['boundary']), str(row['codec']), float(row['ap50']))
                for row in data.pop('rows')
            )
            return cls(**data, rows=rows)
        except (KeyError, TypeError, ValueError) as error:
            raise ProfileError(
                f'calibration {str(path)!r} is malformed ({error!r}); measure it again'
            ) from error
