"""Real series that come with the package statsmodels: sunspots, carbon dioxide at Mauna Loa, and El Niño."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from rnnapps.data.series.frequency import Frequency
from rnnapps.data.series.series import Series
from rnnapps.errors import DataError
from rnnapps.types import Array

__all__ = ["BUILTIN", "NAMES", "builtin_series", "is_builtin"]

BUILTIN = "builtin"
NAMES = ("sunspots", "co2", "elnino")
CHANNEL = "value"


def is_builtin(source: str) -> bool:
    """Whether a source is `builtin` or `builtin:NAME`."""
    return source == BUILTIN or source.startswith(f"{BUILTIN}:")


def builtin_series(source: str) -> list[Series]:
    """The series of `builtin`, all three, or of `builtin:NAME`.

    - sunspots: mean number of a year, 1700 to 2008.
    - co2: parts per million of a week at Mauna Loa, 1958 to 2001, with weeks missing.
    - elnino: temperature of the Pacific of a month, 1950 to 2010, in degrees Celsius.

    Raises:
        DataError: there is no such series, or statsmodels is not installed.
    """
    name = source.partition(":")[2]
    if name and name not in NAMES:
        raise DataError(source, "is no built-in series", f"expected builtin or builtin: with one of {', '.join(NAMES)}")
    try:
        from statsmodels import datasets
    except ImportError:
        remedy = "pip install 'rnnapps[samples]', or give a file with --data.source"
        raise DataError(source, "needs the package statsmodels, which brings these series", remedy) from None
    readers = {"sunspots": _sunspots, "co2": _co2, "elnino": _elnino}
    return [readers[wanted](datasets) for wanted in ([name] if name else NAMES)]


def _sunspots(datasets: ModuleType) -> Series:
    table = datasets.sunspots.load_pandas().data
    years = (table["YEAR"].to_numpy().astype(int) - 1970).astype("datetime64[Y]")
    return _series("sunspots", years, table["SUNACTIVITY"].to_numpy(), Frequency(12, "month"))


def _co2(datasets: ModuleType) -> Series:
    table = datasets.co2.load_pandas().data
    return _series("co2", table.index.to_numpy(), table["co2"].to_numpy(), Frequency(7, "day"))


def _elnino(datasets: ModuleType) -> Series:
    table = datasets.elnino.load_pandas().data
    values = table.drop(columns="YEAR").to_numpy()
    first = np.datetime64(f"{int(table['YEAR'].iloc[0])}-01", "M")
    return _series("elnino", first + np.arange(values.size), values.reshape(-1), Frequency(1, "month"))


def _series(name: str, times: Array, values: Array, frequency: Frequency) -> Series:
    """A series of one channel."""
    column = np.asarray(values, np.float64)[:, None]
    moments = np.asarray(times).astype("datetime64[ns]")
    return Series(name, moments, column, (CHANNEL,), frequency=frequency, source=f"{BUILTIN}:{name}")
