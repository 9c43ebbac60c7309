"""Lines judged one by one: any text gives lines or one clear error."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.config import RecurrentConfig
from rnnapps.errors import DataError
from rnnapps.preprocessing.series_scaler import SeriesScaler
from rnnapps.tasks.anomaly_detection.detector_networks import forecaster
from rnnapps.tasks.anomaly_detection.lines import judge_lines
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.streams import DetectorStream

CELLS = st.one_of(
    st.floats().map(str),
    st.sampled_from(["", "nan", "inf", "1e400", "-3e38", "1,5", "drei", '"', "\x00", "2024-01-01", "  7 "]),
    st.text(max_size=4),
)


@pytest.fixture(scope="module")
def stream() -> DetectorStream:
    keras.utils.set_random_seed(0)
    network = forecaster(RecurrentConfig(units=3), channels=2, targets=2, groups=2, settings={"smoothing_steps": (1,)})
    scaler = SeriesScaler(("only",), ("a", "b"), [[0, 0]] * 2, [[1, 1]] * 2)
    return DetectorStream(network, SensorRows(scaler, ("a", "b"), ("only",)))


@settings(max_examples=1000)
@given(st.booleans(), st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=3))
def test_any_text_is_judged_or_refused(
    stream: DetectorStream, tmp_path_factory: pytest.TempPathFactory, named: bool, table: list[list[str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.csv"
    lines = ["b,a"] * named + [",".join(cells) for cells in table]
    path.write_bytes("\n".join(lines).encode("utf-8", errors="surrogatepass"))
    try:
        printed = [line.printed() for line in judge_lines(stream, str(path))]
    except DataError as error:
        assert "line" in str(error)
    else:
        assert all(len(line.split(",")) == 7 and "nan" not in line and "inf" not in line for line in printed)


def test_columns_are_found_by_name_and_states_kept_apart(stream: DetectorStream, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    rows = [(0.1 * row, -0.2 * row) for row in range(40)]
    path.write_text("series,b,a\n" + "".join(f"x,{b},{a}\ny,{b},{a}\n" for a, b in rows))
    both = [line.printed().split(",", 2) for line in judge_lines(stream, str(path))]
    path.write_text("".join(f"{a},{b}\n" for a, b in rows))
    alone = [line.printed().split(",", 2)[2] for line in judge_lines(stream, str(path))]
    assert [rest for _, name, rest in both if name == "x"] == alone
    assert [rest for _, name, rest in both if name == "y"] == alone


def test_bytes_that_are_no_text_are_refused(stream: DetectorStream, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(b"1,2\n\xff\xfe,3\n")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        list(judge_lines(stream, str(path)))
