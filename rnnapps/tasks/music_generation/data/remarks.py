"""What a person should know of how pieces were read."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rnnapps.tasks.music_generation.data.piece import Piece

__all__ = ["tell_remarks"]

SHOWN = 5


def tell_remarks(pieces: Sequence[Piece], source: str) -> None:
    """Prints to standard error what was noticed while pieces were read: of the first five, and how many more there are.

    Args:
        pieces: those that were read.
        source: where they come from.
    """
    noted = [piece for piece in pieces if piece.remarks]
    for piece in noted[:SHOWN]:
        print(f"{source}, {piece.name or 'a piece'}: {'; '.join(piece.remarks)}", file=sys.stderr)
    if len(noted) > SHOWN:
        print(f"{source}: {len(noted) - SHOWN:,} more of {len(pieces):,} pieces have such remarks", file=sys.stderr)
