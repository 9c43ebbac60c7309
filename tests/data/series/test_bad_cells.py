"""Cells that are no numbers, where bad examples are skipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.errors import DataError


def write(path: Path, *bad: tuple[int, str]) -> str:
    cells = {**{row: str(row) for row in range(1, 29)}, **dict(bad)}
    path.write_text("time,value,note\n" + "".join(f"2024-01-{day:02},{cells[day]},n{day}\n" for day in range(1, 29)))
    return str(path)


def test_they_are_missing_told_and_limited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "a.csv", (3, "broken"), (9, "###"))
    config = SeriesDataConfig(source=source, channels=("value",), on_bad="skip", bad_limit=0.1)
    (series,) = read_series(config)
    assert np.flatnonzero(np.isnan(series.values[:, 0])).tolist() == [2, 8] and series.values[27, 0] == 28
    assert "2 of 28 rows cannot be read and count as missing there" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"2 of 28 rows cannot be read: .*line 4: 'broken' is no number"):
        read_series(SeriesDataConfig(source=source, channels=("value",), on_bad="skip"))
    with pytest.raises(DataError, match="column 'value' holds text: line 4: 'broken'"):
        read_series(SeriesDataConfig(source=source, channels=("value",)))
