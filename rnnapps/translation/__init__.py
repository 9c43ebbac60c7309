"""Translation: training, decoding, evaluation and serving of sequence-to-sequence models."""

__all__: list[str] = []
