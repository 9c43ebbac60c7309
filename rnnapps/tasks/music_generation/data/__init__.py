"""Pieces of music: MIDI files, scores and built-in chorales, on a grid."""

__all__: list[str] = []
