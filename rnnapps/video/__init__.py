"""Video activity recognition: training, scoring, streaming and serving of classifiers of clips."""

__all__: list[str] = []
