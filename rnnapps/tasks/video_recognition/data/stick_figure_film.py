"""Films of stick figures: random viewpoint, size, tempo, clutter and camera shake. Synthetic, and called so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnapps.tasks.video_recognition.data.stick_figures import HEAD_RADIUS, Pose, pose_at
from rnnapps.types import Array

__all__ = ["FILM_RATE", "FILM_SIZE", "film"]

FILM_RATE, FILM_SIZE = 10, 96
"""Frames per second, and height and width in pixels."""


@dataclass(frozen=True)
class _Camera:
    """How points in space become pixels.

    Attributes:
        yaw: from which side the figure is seen, in radians; 0 is from its right.
        pitch: from how far above.
        scale: pixels of one unit of length.
        place: pixel (x, y) of the point between the feet.
    """

    yaw: float
    pitch: float
    scale: float
    place: Array

    def project(self, points: Array) -> Array:
        """Pixels `(..., 2)` of points `(..., 3)`, from afar."""
        x = points[..., 0] * np.cos(self.yaw) + points[..., 2] * np.sin(self.yaw)
        depth = points[..., 2] * np.cos(self.yaw) - points[..., 0] * np.sin(self.yaw)
        y = points[..., 1] * np.cos(self.pitch) - depth * np.sin(self.pitch)
        return np.stack([self.place[0] + self.scale * x, self.place[1] - self.scale * y], axis=-1)


def film(activity: str, generator: np.random.Generator) -> Array:
    """One performance of an activity, uint8 `(frames, 96, 96, 3)`."""
    before, after = (round(FILM_RATE * generator.uniform(0.1, 0.8)) for _ in range(2))
    during = round(FILM_RATE * generator.uniform(0.8, 1.6))
    progress = np.clip((np.arange(before + during + after) - before + 0.5) / during, 0, 1)
    camera = _camera(generator)
    scenery, ink = _scenery(generator)
    shake = np.cumsum(generator.normal(0, 0.5, (len(progress), 2)), axis=0)
    shake -= shake.mean(axis=0)
    frames = [
        _draw(scenery, pose_at(activity, float(p)), camera, ink=ink, move=move)
        for p, move in zip(progress, shake, strict=True)
    ]
    noise = generator.normal(0, 4, (len(frames), FILM_SIZE, FILM_SIZE, 1))
    return np.rint(np.clip(np.stack(frames) + noise, 0, 255)).astype(np.uint8)


def _camera(generator: np.random.Generator) -> _Camera:
    """A random viewpoint from either side of the figure."""
    scale = FILM_SIZE * generator.uniform(0.27, 0.36)
    feet = np.array([FILM_SIZE * generator.uniform(0.4, 0.6), FILM_SIZE * generator.uniform(0.86, 0.93)])
    yaw = generator.uniform(-0.7, 0.7) + np.pi * generator.integers(2)
    return _Camera(float(yaw), float(generator.uniform(0, 0.25)), float(scale), feet)


def _scenery(generator: np.random.Generator) -> tuple[Array, Array]:
    """A background `(96, 96, 3)` with clutter in it, and the colour `(3,)` of the figure, well apart from it."""
    corners = generator.uniform(60, 190, (2, 2, 3))
    share = np.linspace(0, 1, FILM_SIZE)[:, None, None]
    columns = np.swapaxes(share, 0, 1)
    rows = corners[0] * (1 - share) + corners[1] * share
    picture = rows[:, :1] * (1 - columns) + rows[:, 1:] * columns
    for _ in range(int(generator.integers(0, 5))):
        (top, left), (height, width) = generator.integers(0, FILM_SIZE, 2), generator.integers(4, 30, 2)
        picture[top : top + height, left : left + width] += generator.uniform(-40, 40, 3)
    ink = generator.uniform(0, 40, 3) if picture.mean() > 125 else generator.uniform(215, 255, 3)
    return np.clip(picture, 0, 255), ink


def _draw(scenery: Array, pose: Pose, camera: _Camera, *, ink: Array, move: Array) -> Array:
    """A frame float `(96, 96, 3)`: figure and scenery are moved by the same pixels (x, y), for the camera shakes."""
    covered = np.zeros((FILM_SIZE, FILM_SIZE))
    width = 0.035 * camera.scale
    for ends in camera.project(pose.furniture):
        _line(covered, ends + move, 0.6 * width)
    covered *= 0.5
    for ends in camera.project(pose.lines):
        _line(covered, ends + move, width)
    for middle, radius in ((pose.head, HEAD_RADIUS), (pose.thing, 0.09)):
        if middle is not None:
            point = camera.project(middle) + move
            _line(covered, np.stack([point, point]), radius * camera.scale)
    shifted = np.roll(scenery, np.rint(move[::-1]).astype(int), axis=(0, 1))
    return shifted * (1 - covered[..., None]) + ink * covered[..., None]


def _line(covered: Array, ends: Array, radius: float) -> None:
    """Covers all pixels within a radius of a line from end to end, its edge smoothed."""
    low = np.maximum(np.floor(ends.min(axis=0) - radius - 1), 0).astype(int)
    high = np.minimum(np.ceil(ends.max(axis=0) + radius + 2), FILM_SIZE).astype(int)
    if (high <= low).any():
        return
    x, y = np.arange(low[0], high[0]), np.arange(low[1], high[1])[:, None]
    along = ends[1] - ends[0]
    length = max(float(along @ along), 1e-9)
    share = np.clip(((x - ends[0, 0]) * along[0] + (y - ends[0, 1]) * along[1]) / length, 0, 1)
    distance = np.hypot(x - ends[0, 0] - share * along[0], y - ends[0, 1] - share * along[1])
    part = covered[low[1] : high[1], low[0] : high[0]]
    np.maximum(part, np.clip(radius + 0.5 - distance, 0, 1), out=part)
