"""Whether data look like rows in which faults are marked, or could be found."""

from __future__ import annotations

from rnnapps.contract.recognised import Recognised
from rnnapps.data.compressed import plain_suffix
from rnnapps.data.look.heads import first_table, head_of
from rnnapps.data.look.marks import marking_column
from rnnapps.tasks.anomaly_detection.data.array_files import array_files
from rnnapps.tasks.anomaly_detection.data.config import AnomalyDataConfig

__all__ = ["recognise"]

ARRAYS = (".npz", ".npy")


def recognise(source: str) -> Recognised | None:
    """A table of numbers with a column that marks rows; without one it may be watched all the same."""
    head = head_of(source)
    if head.path.is_dir() and head.share(ARRAYS) > 0.5 and (series := array_files(head.path)):
        endings = ", ".join(sorted({plain_suffix(own.path) for own in series}))
        return Recognised(f"{len(series):,} series with rows to train on and to test on ({endings})")
    table = first_table(head, AnomalyDataConfig(source=source))
    if table is None:
        return None
    marks = marking_column(table)
    if marks:
        return Recognised(f"a table of numbers whose column {marks!r} marks rows", settings={"data.label": marks})
    return Recognised("a table of numbers, which can be watched for what is unusual", plain=False)
