"""Small videos whose class is the way a bright square moves: to the right, or to the left. Synthetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.tasks.video_recognition.data.file import write_mp4

__all__ = ["MOVES", "moving_square", "write_moves"]

Array = np.ndarray[Any, Any]

MOVES = ("left", "right")


def moving_square(move: str, number: int = 0, *, frames: int = 12) -> Array:
    """uint8 `(frames, 32, 32, 3)`; the path of the square to the left is that to the right backwards."""
    draw = np.random.default_rng(number)
    top, begin, side = draw.integers(2, 20), draw.integers(0, 4), draw.integers(7, 10)
    pictures = np.full((frames, 32, 32, 3), 20, np.uint8)
    for place in range(frames):
        left = begin + round(18 * place / max(frames - 1, 1))
        pictures[place, top : top + side, left : left + side] = 220
    return pictures if move == "right" else pictures[::-1]


def write_moves(folder: Path, count: int, *, moves: tuple[str, ...] = MOVES, first: int = 0) -> Path:
    """Writes `<folder>/<move>/p<person>_<number>.mp4`, `count` of each move, by persons 0 to 3 in turn."""
    for move in moves:
        (folder / move).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            write_mp4(folder / move / f"p{number % 4}_{number:02}.mp4", moving_square(move, number), rate=10)
    return folder
