"""Where a detector's rows come from, and how they are labelled. Imports nothing heavy."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

from rnnapps.config import require, require_choice
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.errors import ConfigError

__all__ = ["AnomalyDataConfig"]

Scaling = Literal["standard", "robust", "none"]


@dataclass(frozen=True)
class AnomalyDataConfig(SeriesDataConfig):
    """The rows to watch, and how they are split in time.

    Beside the sources of series there are folders of `.npz` files, one a series, with arrays `train` and `test`
    `(rows, channels)`, and tables of events, such as payments: `entity` names the column that says whose they are.

    Attributes:
        source: `builtin` (a simulated machine), a .csv or .parquet file, or a folder of them or of .npz files.
        entity: column that names the entity of an event (customer, card, device); empty for series.
        known: columns that are no channels: detectors read measured ones only.
        categorical: columns of text or codes, which detectors do not read.
        static: columns that are constant within a series, which detectors do not read.
        targets: channels whose faults are looked for; the others only help to predict them; empty watches all.
        labels: file of labelled stretches: a .csv with columns series, first, last (row numbers or times), the
            labeled_anomalies.csv of NASA's telemetry, or a .json of NAB.
        test: file or folder whose whole rows are the test rows; None takes what `source` offers.
        calendar: time of day and day of week, by the clock of `timezone`, are inputs too.
        scaling: of channels by training rows: mean and deviation, median and quartiles, or none.
        validation_until: rows from this time to the test are in no split, such as those whose labels come too late.
        label_delay_days: days after which a label is known. An entity whose fault is known by then is not judged in
            the test any more, as a stolen card is blocked; None judges all rows.

    Raises:
        ConfigError: a value is out of range.
    """

    entity: str = ""
    targets: tuple[str, ...] = ()
    labels: str = ""
    test: str | None = None
    calendar: bool = False
    scaling: Scaling = "standard"
    validation_until: str = ""
    label_delay_days: int | None = None

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        if self.entity and self.series:
            raise ConfigError("data.entity and data.series both name whose a row is; give one of them")
        if self.labels and self.label:
            raise ConfigError("data.labels and data.label both give labels; give one of them")
        unknown = [name for name in self.targets if self.channels and name not in self.channels]
        if unknown:
            raise ConfigError(f"data.targets: {unknown[0]!r} is not one of data.channels")
        require_choice("data.scaling", self.scaling, Scaling)
        delay = self.label_delay_days
        require("data.label_delay_days", delay, "at least 0", delay is None or delay >= 0)
        if self.validation_until:
            try:
                datetime.datetime.fromisoformat(self.validation_until)
            except ValueError:
                raise ConfigError(
                    f"data.validation_until must be an ISO 8601 time, not {self.validation_until!r}"
                ) from None
