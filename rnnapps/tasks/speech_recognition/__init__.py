"""Speech recognition: training, decoding, streaming and serving of CTC networks."""

from __future__ import annotations

__all__: list[str] = []
