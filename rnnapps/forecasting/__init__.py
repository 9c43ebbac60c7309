"""Forecasting: what turns series, windows and a recurrent network into forecasts with intervals."""

__all__: list[str] = []
