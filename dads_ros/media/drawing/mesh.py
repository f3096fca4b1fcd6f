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

"""Solids of flat faces: built once per thing, then placed, shaded and painted in each frame."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
import math

from dads_ros.media.drawing.camera import Camera
from dads_ros.media.drawing.camera import NEAR_M
from dads_ros.media.drawing.canvas import Canvas
from dads_ros.media.drawing.canvas import fill
from dads_ros.media.drawing.light import Light
import numpy as np

CORNERS = 12  # of a face; a face with fewer repeats its last corner
_SMALL_PX = 0.6  # a face with no corner farther than this from its centre is left out


@dataclass(frozen=True)
class Mesh:
    """Faces about their own origin: x right, y up from the road, z ahead."""

    points: np.ndarray  # [faces, CORNERS, 3]
    centres: np.ndarray  # [faces, 3]
    normals: np.ndarray  # [faces, 3], outwards
    colours: np.ndarray  # [faces, 3]
    gloss: np.ndarray  # [faces], share of the sky mirrored
    rank: np.ndarray  # [faces], metres by which a face on top of another is drawn nearer

    @cached_property
    def reach_m(self) -> np.ndarray:
        """Return how far each face's corners lie from its centre, at most, [faces]."""
        return np.linalg.norm(self.points - self.centres[:, None], axis=2).max(axis=1)

    @cached_property
    def size_m(self) -> np.ndarray:
        """Return the extent along x, y and z."""
        flat = self.points.reshape(-1, 3)
        return flat.max(axis=0) - flat.min(axis=0)


class MeshBuilder:
    """Collects faces."""

    def __init__(self) -> None:
        self._points: list[np.ndarray] = []
        self._rows: list[tuple[float, ...]] = []
        self._hearts: list[Sequence[float] | None] = []

    def face(
        self,
        corners: Sequence[Sequence[float]],
        colour: Sequence[float],
        gloss: float = 0.0,
        rank: float = 0.0,
        heart: Sequence[float] | None = None,
    ) -> None:
        """
        Add a convex face of at most CORNERS corners.

        :param rank: metres by which it is drawn nearer, for a detail on another face.
        :param heart: a point behind the face; one on the mesh's long axis when None.
        """
        points = np.asarray(corners, np.float64)
        padding = np.repeat(points[-1:], CORNERS - len(points), axis=0)
        self._points.append(np.concatenate([points, padding]))
        self._rows.append((*colour, gloss, rank))
        self._hearts.append(heart)

    def box(
        self,
        low: Sequence[float],
        high: Sequence[float],
        colour: Sequence[float],
        gloss: float = 0.0,
        rank: float = 0.0,
    ) -> None:
        """Add the six faces of an upright box."""
        heart = ((np.asarray(low) + np.asarray(high)) / 2).tolist()
        for axis in range(3):
            a, b = (i for i in range(3) if i != axis)
            for end in (low[axis], high[axis]):
                corners = np.empty((4, 3))
                corners[:, axis] = end
                corners[:, a] = (low[a], high[a], high[a], low[a])
                corners[:, b] = (low[b], low[b], high[b], high[b])
                self.face(corners.tolist(), colour, gloss, rank, heart)

    def build(self) -> Mesh:
        """Return the mesh, its normals outwards."""
        points = np.stack(self._points)
        rows = np.asarray(self._rows)
        centres = points.mean(axis=1)
        edges = points - centres[:, None]
        normals = np.cross(edges, np.roll(edges, -1, axis=1)).sum(axis=1)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        flat = points.reshape(-1, 3)
        low, high = flat.min(axis=0), flat.max(axis=0)
        half = (high[0] - low[0]) / 2
        hearts = np.zeros_like(centres)
        hearts[:, 1] = (low[1] + high[1]) / 2
        hearts[:, 2] = np.clip(centres[:, 2], low[2] + half, high[2] - half)
        for i, heart in enumerate(self._hearts):
            if heart is not None:
                hearts[i] = heart
        outward = np.sign(((centres - hearts) * normals).sum(axis=1))
        normals *= np.where(outward == 0, 1, outward)[:, None]
        return Mesh(points, centres, normals, rows[:, :3], rows[:, 3], rows[:, 4])


def draw_mesh(
    canvas: Canvas, camera: Camera, mesh: Mesh, at: tuple[float, float, float], owner: int
) -> None:
    """
    Paint a mesh, far faces first.

    :param at: x and z of its origin in metres and its heading in radians (0: away from us).
    :param owner: its number as a labelled thing, FREE for scenery.
    """
    x_m, z_m, heading = at
    reach = float(mesh.size_m[2])
    if abs(x_m) - reach > (z_m + reach) * camera.width / 2 / camera.focal_px:
        return  # beside the picture
    sine, cosine = math.sin(heading), math.cos(heading)
    turn = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    eye = mesh.centres @ turn.T + (x_m, -camera.height_m, z_m)
    normals = mesh.normals @ turn.T
    large = mesh.reach_m > _SMALL_PX * np.maximum(eye[:, 2], NEAR_M) / camera.focal_px
    shown = np.flatnonzero(((eye * normals).sum(axis=1) < 0) & large)
    nearness = mesh.rank[shown] - np.linalg.norm(eye[shown], axis=1)
    shown = shown[np.argsort(nearness, kind='stable')]
    points = mesh.points[shown] @ turn.T + (x_m, 0.0, z_m)
    shown = shown[points[..., 2].max(axis=1) > NEAR_M]
    if not len(shown):
        return
    if points[..., 2].min() > NEAR_M:
        polygons = camera.project(points)
    else:
        in_front = points[points[..., 2].max(axis=1) > NEAR_M]
        polygons = np.stack([camera.project(_clip_near(face)) for face in in_front])
    painted = _shade(mesh.colours[shown], mesh.gloss[shown], normals[shown], canvas.light).tolist()

    def paint(patch: np.ndarray, to_layer: Callable[[np.ndarray], np.ndarray]) -> None:
        for polygon, (red, green, blue) in zip(to_layer(polygons), painted, strict=True):
            fill(patch, polygon, (red, green, blue))

    canvas.layer(polygons.reshape(-1, 2), z_m, paint, owner)


def _shade(
    colours: np.ndarray, gloss: np.ndarray, normals: np.ndarray, light: Light
) -> np.ndarray:
    """Return face colours under the sun, with the sky or the road mirrored in glossy ones."""
    facing = np.maximum(normals @ light.sun, 0.0)
    bright = light.ambient * (0.62 + 0.38 * normals[:, 1]) + light.direct * facing
    up = np.clip(normals[:, 1] * 2.2 + 0.25, 0.0, 1.0)[:, None]
    road = np.array([70.0, 68.0, 66.0])
    mirrored = light.sky * up + road * (1 - up)
    shaded = colours * bright[:, None]
    shaded += gloss[:, None] * (mirrored - 0.6 * shaded)
    return np.clip(shaded, 0, 255).astype(np.int64)


def _clip_near(polygon: np.ndarray) -> np.ndarray:
    """Return the part of a face beyond the near plane, padded (Sutherland and Hodgman)."""
    kept: list[np.ndarray] = []
    for a, b in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if a[2] >= NEAR_M:
            kept.append(a)
        if (a[2] >= NEAR_M) != (b[2] >= NEAR_M):
            share = (NEAR_M - a[2]) / (b[2] - a[2])
            kept.append(a + share * (b - a))
    kept = kept[: CORNERS + 2] or [polygon[0]]
    return np.stack(kept + kept[-1:] * (CORNERS + 2 - len(kept)))
