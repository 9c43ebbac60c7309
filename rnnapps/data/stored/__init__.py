"""Arrays on disk of which only what is needed is read, for data that are larger than memory."""

__all__: list[str] = []
