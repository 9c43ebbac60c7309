"""Text: documents, their splits, and windows of ids."""

__all__: list[str] = []
