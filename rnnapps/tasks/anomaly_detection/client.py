"""A client of served detectors, with a method for what they are asked for."""

from __future__ import annotations

from rnnapps.client import Client
from rnnapps.types import ArrayLike, Arrays

__all__ = ["DetectorClient"]


class DetectorClient(Client):
    """Asks a model that flags rows of sensors; see `Client`."""

    def flag(self, rows: ArrayLike, *, seconds: ArrayLike | None = None, series: str | None = None) -> Arrays:
        """What each row gets.

        Args:
            rows: `(time, sensors)` in the units of training; NaN or None where a value is missing.
            seconds: Unix time of each row, for models that look at the calendar.
            series: name of the series, for models of several.

        Returns:
            `flag`, `score`, `threshold` and `silent` `(time,)`, `contribution` and `missing` `(time, sensors)`.

        Raises:
            ServingError: the server cannot be reached, or refuses the rows.
        """
        inputs = {"rows": [rows], "seconds": None if seconds is None else [seconds]}
        inputs["series"] = None if series is None else [series]
        answer = self.predict({name: value for name, value in inputs.items() if value is not None})
        return {name: array[0] for name, array in answer.items() if name != "problem"}
