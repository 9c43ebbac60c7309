"""From a network's step to finished sequences, in the graph."""

__all__: list[str] = []
