"""Music generation: training, scoring, sampling and serving of networks that continue pieces."""

__all__: list[str] = []
