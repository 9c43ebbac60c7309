"""In-graph loops that turn a network's step function into finished sequences."""

__all__: list[str] = []
