"""Series in the order of time: tables, their roles, splits and windows; and built-in series."""

__all__: list[str] = []
