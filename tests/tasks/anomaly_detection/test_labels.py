"""Files of labelled stretches in their three forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnapps.data.series.series import Series
from rnnapps.errors import DataError
from rnnapps.tasks.anomaly_detection.data.labels import mark, read_stretches

TIMES = np.datetime64("2024-01-01", "ns") + np.arange(10) * np.timedelta64(1, "h")
SERIES = Series("pump", TIMES, np.zeros((10, 1), np.float32), ("x",))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.csv", "series,first,last\npump,2,4\npump,7,7\n"),
        (
            "times.csv",
            "series,first,last\npump,2024-01-01 02:00,2024-01-01 04:30\npump,2024-01-01T07:00,2024-01-01T07:00\n",
        ),
        ("nasa.csv", 'chan_id,spacecraft,anomaly_sequences\npump,X,"[[2, 4]]"\npump,X,"[[7, 7]]"\n'),
        (
            "nab.json",
            '{"a/pump.csv": [["2024-01-01 01:30:00", "2024-01-01 04:00:00"], '
            '["2024-01-01 07:00:00", "2024-01-01 07:00:00"]]}',
        ),
    ],
)
def test_every_form_marks_the_same_rows(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    labels = mark(SERIES, read_stretches(str(path))["pump"], str(path))
    assert labels.tolist() == [0, 0, 1, 1, 1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("labels.csv", "name,begin\npump,2\n", "has the columns begin, name; expected series, first, last"),
        ("empty.csv", "", "has the columns none"),
        ("gap.csv", "series,first,last\npump,,4\n", "line 2: a stretch needs first and last"),
        ("nasa.csv", "chan_id,anomaly_sequences\npump,[[1]\n", "line 2: '[[1]' is no list of"),
        ("nab.json", "[1, 2]", "is no JSON of labelled stretches"),
        ("late.csv", "series,first,last\npump,2,40\n", "the stretch 2 to 40 is not within its 10 rows"),
        ("turned.csv", "series,first,last\npump,4,2\n", "the stretch 4 to 2 is not within"),
        ("words.csv", "series,first,last\npump,soon,later\n", "'soon' is neither row number nor time"),
    ],
)
def test_bad_files_are_one_clear_error(name: str, content: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        mark(SERIES, read_stretches(str(path))["pump"], str(path))
    assert problem in str(caught.value)
    assert name in str(caught.value)
