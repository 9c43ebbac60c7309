"""Files with something wrong in a few places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["damaged"]


def damaged(whole: bytes, draw: np.random.Generator, pieces: Sequence[bytes]) -> bytes:
    """The file with one to four places changed: a piece put in, another byte, or a part or the rest taken out."""
    content = bytearray(whole)
    for _ in range(draw.integers(1, 5)):
        place = int(draw.integers(len(content) + 1))
        match draw.integers(4):
            case 0:
                content[place:place] = pieces[draw.integers(len(pieces))]
            case 1:
                del content[place : place + int(draw.integers(1, 40))]
            case 2:
                content[place : place + 1] = bytes([draw.integers(256)])
            case _:
                del content[place:]
    return bytes(content)
