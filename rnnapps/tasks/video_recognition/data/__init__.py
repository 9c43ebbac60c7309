"""Labelled videos: decoded by guarded processes, cached, cut into clips; and built-in films."""

__all__: list[str] = []
