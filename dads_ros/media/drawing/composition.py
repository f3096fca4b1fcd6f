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

"""One generated scene: chooses road and light, then draws any moment of the drive."""

from __future__ import annotations

from collections.abc import Callable
import functools
import math

import cv2
from dads_ros.media.drawing import layout
from dads_ros.media.drawing import roadside
from dads_ros.media.drawing import traffic
from dads_ros.media.drawing.camera import Camera
from dads_ros.media.drawing.canvas import Canvas
from dads_ros.media.drawing.light import random_light
from dads_ros.media.drawing.light import tone_tables
from dads_ros.media.drawing.mesh import draw_mesh
from dads_ros.media.drawing.mesh import Mesh
from dads_ros.media.drawing.people import draw_figure
from dads_ros.media.drawing.traffic import Actor
from dads_ros.media.drawing.traffic import REACH_M
from dads_ros.media.drawing.world import Backdrop
from dads_ros.media.drawing.world import draw_marking
from dads_ros.media.drawing.world import Ground
import numpy as np

_BEND_M = 420.0  # the road winds with this period
_BLOCK_M = 22.0  # one building
_BARRIER_M = 8.0  # one piece of it
_POLE_M = 31.0
_RING = np.arange(12) * (math.tau / 12)


class Composition:
    """
    All of a scene that does not change, and how to draw the rest.

    :param seed: not negative.
    :param busy: draw a busy road.
    """

    def __init__(self, seed: int, width: int, height: int, *, busy: bool = False) -> None:
        rng = np.random.default_rng((seed, 1))
        self._seed, self._width, self._height = seed, width, height
        self._layout = layout.choose(rng, busy=busy)
        self._light = random_light(rng)
        self._focal_px = width * float(rng.uniform(0.82, 1.0))
        self._horizon_px = height * float(rng.uniform(0.44, 0.52))
        self._camera_m = float(rng.uniform(1.30, 1.50))
        self._bend = float(rng.uniform(-1, 1)) * 0.0011
        self._bend_phase = float(rng.uniform(0, 2 * math.pi))
        sky_px = int(height * 0.62)
        self._backdrop = Backdrop(rng, width, sky_px, self._light.sky, self._light.haze)
        self._ground = Ground(rng, self._layout.strips, self._layout.lanes_m)
        bright = self._light.ambient + 0.5 * self._light.direct
        self._ground_bright = self._light.ambient + 0.75 * self._light.direct
        self._trees = [roadside.tree(rng, bright) for _ in range(5)]
        self._facades = [roadside.facade(rng, bright) for _ in range(7)]
        self._tables = tone_tables(rng)
        rough = rng.normal(0, float(rng.uniform(3.0, 5.2)), (height + 64, width + 64, 3))
        grain = cv2.GaussianBlur(rough.astype(np.float32), (3, 3), 0.5) + 128
        self._grain = np.clip(grain, 0, 255).astype(np.uint8)
        self._soft = float(rng.uniform(0.4, 0.75))

    def draw(self, time_s: float) -> tuple[Canvas, list[int]]:
        """Return the picture as light falls in, and the class of each labelled thing."""
        along_m = self._layout.speed_mps * time_s
        camera = self._camera(time_s, along_m)
        rgb = np.empty((self._height, self._width, 3), np.uint8)
        turn = self._bend * _BEND_M / math.tau * math.sin(math.tau * along_m / _BEND_M)
        self._backdrop.draw(rgb, camera, turn)
        self._ground.draw(rgb, camera, along_m, np.append(self._light.haze, self._light.haze_m))
        for marking in self._layout.markings:
            draw_marking(rgb, camera, marking, along_m)
        things = [
            *traffic.actors(self._layout.rows, self._seed, time_s, along_m),
            *traffic.leaders(self._seed, time_s),
        ]
        self._darken(rgb, camera, things, along_m)
        canvas = Canvas(rgb, self._light)
        self._draw_walls(canvas, camera, along_m)
        return canvas, self._draw_standing(canvas, camera, things, along_m)

    def expose(self, rgb: np.ndarray, index: int) -> np.ndarray:
        """Return the picture as the sensor gives it: lens, exposure and noise."""
        picture = cv2.GaussianBlur(rgb, (3, 3), self._soft)
        table = self._tables[index % len(self._tables)]
        picture = cv2.LUT(picture, table)
        rng = np.random.default_rng((self._seed, 2, index))
        y, x = (int(i) for i in rng.integers(0, 64, 2))
        grain = self._grain[y : y + self._height, x : x + self._width]
        return cv2.addWeighted(picture, 1.0, grain, 1.0, -128.0)

    def _camera(self, time_s: float, along_m: float) -> Camera:
        shake = 0.8 * math.sin(7.3 * time_s) + 0.6 * math.sin(3.1 * time_s + 1.0)
        bend = self._bend * math.sin(math.tau * along_m / _BEND_M + self._bend_phase)
        return Camera(
            self._width,
            self._height,
            self._focal_px,
            self._horizon_px + shake * self._height / 360,
            self._camera_m,
            bend,
        )

    def _darken(
        self, rgb: np.ndarray, camera: Camera, things: list[Actor], along_m: float
    ) -> None:
        """Light the ground and lay the shadows of all things on it."""
        half = np.full((self._height // 2, self._width // 2), 255, np.uint8)
        light = self._light
        reach = light.sun[[0, 2]] / -light.sun[1]
        contact, cast = 90, int(255 * light.ambient / self._ground_bright)
        for x, z, height in self._tree_places(along_m):
            if z > 60:
                continue
            top = np.array([camera.lateral_m(x, z), z]) + reach * height * 0.6
            circle = [(top[0] + 1.8 * math.cos(a), top[1] + 1.8 * math.sin(a)) for a in _RING]
            _shade_ground(half, camera, np.array(circle), cast)
        for thing in things:
            foot = _footprint(camera, thing)
            height = max(
                part.size_m[1] if isinstance(part, Mesh) else 1.5 for part, _ in thing.parts
            )
            hull = cv2.convexHull(np.concatenate([foot, foot + reach * height]).astype(np.float32))
            _shade_ground(half, camera, hull[:, 0].astype(float), cast)
            _shade_ground(half, camera, foot, contact)
        soft = cv2.GaussianBlur(half, (5, 5), 1.0)
        shade = cv2.resize(soft, (self._width, self._height), interpolation=cv2.INTER_LINEAR)
        first = max(int(camera.horizon_px), 0)
        view = rgb[first:]
        dark = cv2.merge([shade[first:]] * 3)
        view[:] = cv2.multiply(view, dark, scale=self._ground_bright / 255)

    def _draw_walls(self, canvas: Canvas, camera: Camera, along_m: float) -> None:
        """Draw the rows of buildings; all else stands in front of them."""
        for line, x in enumerate(self._layout.walls_m):
            last = int((along_m + 150) // _BLOCK_M)
            for block in range(last, int(along_m // _BLOCK_M) - 1, -1):
                rng = np.random.default_rng((self._seed, 3, line, block))
                near, far = block * _BLOCK_M - along_m, (block + 1) * _BLOCK_M - along_m - 1.5
                picture = self._facades[int(rng.integers(len(self._facades)))]
                height = picture[0].shape[0] / roadside.STOREY_PX * 3.3
                x0, x1 = camera.lateral_m(x, near), camera.lateral_m(x, far)
                deep = x0 + math.copysign(14.0, x)
                front = ((x0, near), (deep, near)) if x > 0 else ((deep, near), (x0, near))
                side = ((x1, far), (x0, near)) if x > 0 else ((x0, near), (x1, far))
                roadside.draw_wall(canvas, camera, picture, front, height)
                roadside.draw_wall(canvas, camera, picture, side, height)

    def _tree_places(self, along_m: float) -> list[tuple[float, float, float]]:
        """Return road x, distance and height of the trees in sight."""
        places = []
        gap = self._layout.tree_gap_m
        for line, x in enumerate(self._layout.trees_m):
            for tree in range(int(along_m // gap), int((along_m + 130) // gap)):
                rng = np.random.default_rng((self._seed, 4, line, tree))
                z = tree * gap - along_m + float(rng.uniform(0, 0.6 * gap))
                spread = 0.3 if self._layout.walls_m else 2.0
                if rng.random() < 0.75:
                    shift = float(rng.uniform(-spread, spread))
                    places.append((x + shift, z, float(rng.uniform(4.5, 8.5))))
        return places

    def _draw_standing(
        self, canvas: Canvas, camera: Camera, things: list[Actor], along_m: float
    ) -> list[int]:
        """Draw all that stands on the ground, far things first; return the labelled classes."""
        barrier_m = self._layout.barrier_m
        jobs: list[tuple[int, float, Callable[[], None]]] = []  # layer, -distance, how to draw

        def plan(road_x_m: float, z_m: float, draw: Callable[..., None], *args: object) -> None:
            beyond = barrier_m is not None and road_x_m < barrier_m
            jobs.append((0 if beyond else 2, -z_m, functools.partial(draw, canvas, camera, *args)))

        for x, z, height in self._tree_places(along_m):
            tree = self._trees[int(height * 1000) % len(self._trees)]
            plan(x, z, roadside.draw_tree, tree, camera.lateral_m(x, z), z, height)
        for x in self._layout.poles_m:
            for pole in range(int(along_m // _POLE_M), int((along_m + 100) // _POLE_M)):
                z = (pole + 0.5) * _POLE_M - along_m
                plan(x, z, roadside.draw_pole, camera.lateral_m(x, z), z, 8.0)
        if barrier_m is not None:
            for piece in range(int(along_m // _BARRIER_M) - 1, int((along_m + 160) // _BARRIER_M)):
                z = piece * _BARRIER_M - along_m
                draw = functools.partial(
                    roadside.draw_barrier, canvas, camera, barrier_m, z, _BARRIER_M
                )
                jobs.append((1, -z, draw))
        classes: list[int] = []
        for thing in things:
            x, z = thing.x_m, thing.z_m
            at = (camera.lateral_m(x, z), z, thing.turn_rad + camera.heading_rad(z))
            for part, class_id in thing.parts:
                draw_part = draw_mesh if isinstance(part, Mesh) else draw_figure
                plan(x, z, draw_part, part, at, len(classes))
                classes.append(class_id)
        for _, _, job in sorted(jobs, key=lambda job: job[:2]):
            job()
        return classes


def _footprint(camera: Camera, thing: Actor) -> np.ndarray:
    """Return the corners [4, 2] in x and z of what a thing covers of the ground."""
    wide, long = 0.5, 0.5
    for part, _ in thing.parts:
        if isinstance(part, Mesh):
            wide, _, long = (float(v) for v in part.size_m)
            wide -= 0.3  # mirrors
    turn = thing.turn_rad + camera.heading_rad(thing.z_m)
    corners = np.array([(-wide, -long), (wide, -long), (wide, long), (-wide, long)]) / 2
    sine, cosine = math.sin(turn), math.cos(turn)
    turned = corners @ np.array([[cosine, -sine], [sine, cosine]])
    centre = np.array([camera.lateral_m(thing.x_m, thing.z_m), thing.z_m])
    return turned + centre


def _shade_ground(half: np.ndarray, camera: Camera, outline: np.ndarray, level: int) -> None:
    """Darken a convex patch of ground in the half-size shadow map to at most ``level``."""
    if outline[:, 1].max() < 1.0 or outline[:, 1].min() > REACH_M + 60:
        return
    ground = np.stack([outline[:, 0], np.zeros(len(outline)), np.maximum(outline[:, 1], 1.0)], 1)
    pixels = np.clip(camera.project(ground) / 2 - 0.25, -2e3, 2e3)
    cv2.fillConvexPoly(half, np.round(pixels * 16).astype(np.int32), level, cv2.LINE_AA, 4)
