"""Speech recognition: training, decoding, streaming and serving of CTC networks."""

__all__: list[str] = []
