"""Sources of raw examples, already split; nothing here knows a model."""

__all__: list[str] = []
