"""Recordings and transcripts: files, corpora and synthetic speech."""

__all__: list[str] = []
