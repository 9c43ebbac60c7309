"""Tables that are larger than memory may be: their series, and windows of them, are those of tables in memory."""

from __future__ import annotations

import dataclasses
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnnapps.data.digest import digest_examples
from rnnapps.data.series import large_rows, large_series, table_file, table_series
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.data.series.windows import StoredSeries
from rnnapps.data.stored import open_files
from rnnapps.errors import DataError


@pytest.fixture(autouse=True)
def small_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(table_file, "PIECE_ROWS", 37)
    monkeypatch.setattr(large_rows, "AT_ONCE", 50)


def frame(rows: int = 240) -> pd.DataFrame:
    """Hours of three series, one behind the other within each hour, with a category, a price and a label."""
    draw = np.random.default_rng(0)
    hours = pd.date_range("2024-02-28", periods=rows // 3, freq="h")
    return pd.DataFrame(
        {
            "time": np.repeat(hours, 3),
            "series": ["b", "a", "c"] * (rows // 3),
            "load": draw.normal(size=rows).round(3),
            "temp": np.where(draw.random(rows) < 0.1, np.nan, draw.normal(size=rows).round(3)),
            "price": draw.normal(size=rows).round(3),
            "kind": [f"k{9 - number // 40}" for number in range(rows)],
            "fault": draw.integers(0, 2, rows),
        }
    )


def write(table: pd.DataFrame, kind: str, folder: Path) -> str:
    if kind == "parquet":
        table.to_parquet(folder / "x.parquet")
        return str(folder / "x.parquet")
    form = "%d.%m.%Y %H:%M" if kind == "german" else None
    marks = {"sep": ";", "decimal": ","} if kind == "german" else {}
    table.to_csv(folder / "x.csv", index=False, date_format=form, **marks)
    return str(folder / "x.csv")


def both(source: str, **settings: Any) -> tuple[list[Series], list[Series]]:
    """The series in memory and on disk."""
    memory = read_series(SeriesDataConfig(source, **settings))
    disk = read_series(SeriesDataConfig(source, memory_megabytes=0, **settings))
    return memory, disk


def assert_equal(memory: list[Series], disk: list[Series]) -> None:
    assert [one.name for one in disk] == [one.name for one in memory]
    for one, other in zip(memory, disk, strict=True):
        for field in dataclasses.fields(Series):
            own, expected = getattr(other, field.name), getattr(one, field.name)
            if isinstance(expected, np.ndarray):
                np.testing.assert_array_equal(own, expected, err_msg=field.name)
                assert own.dtype == expected.dtype
            else:
                assert own == expected, field.name


ROLES: dict[str, Any] = {"known": ("price",), "categorical": ("kind",), "label": "fault"}


@pytest.mark.parametrize("kind", ["plain", "german", "parquet"])
@pytest.mark.parametrize("order", ["by time", "by series", "shuffled"])
def test_series_on_disk_are_those_in_memory(kind: str, order: str, tmp_path: Path) -> None:
    table = frame()
    table = table.sort_values(["series", "time"], ascending=[False, True]) if order == "by series" else table
    table = table.sample(frac=1, random_state=0) if order == "shuffled" else table
    memory, disk = both(write(table, kind, tmp_path), **ROLES)
    assert_equal(memory, disk)
    assert order == "shuffled" or all(isinstance(one.values, np.memmap) for one in disk)
    assert len(disk) == 3 and disk[0].category_levels == (("k4", "k5", "k6", "k7", "k8", "k9"),)


def test_a_folder_is_kept_on_disk_where_its_files_together_are_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "machines"
    folder.mkdir()
    for number in range(40):
        table = frame(60).assign(kind=[f"k{(number + row) % 3 + number}" for row in range(60)])
        table.to_csv(folder / f"m{number:02}.csv", index=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, hard))
    monkeypatch.setattr(open_files, "OTHERS", 600)
    try:
        memory, disk = both(str(folder), **ROLES)
        assert_equal(memory, disk)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(disk) == 120 and all(isinstance(one.values, np.memmap) for one in disk)
    assert capsys.readouterr().err.count("read from the cache folder") == 1


def test_more_files_than_may_be_open_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 200))
    source = write(frame(), "plain", tmp_path)
    with pytest.raises(DataError, match=r"520 open files .* may have 200; join its files"):
        read_series(SeriesDataConfig(source, memory_megabytes=0))


@pytest.mark.parametrize("cell", ["1,234.5", "$3", "(7.5)"])
def test_numbers_that_are_not_written_plainly(cell: str, tmp_path: Path) -> None:
    loads = [f'"{number},000.5"' if cell[1] == "," else str(number) for number in range(1, 100)]
    loads[-9] = f'"{cell}"'
    rows = "".join(f"2024-01-01 {row // 60:02}:{row % 60:02},{load}\n" for row, load in enumerate(loads))
    (tmp_path / "x.csv").write_text(f"time,load\n{rows}")
    try:
        memory = read_series(SeriesDataConfig(str(tmp_path / "x.csv")))
    except DataError as error:
        with pytest.raises(DataError) as caught:
            read_series(SeriesDataConfig(str(tmp_path / "x.csv"), memory_megabytes=0))
        assert str(caught.value) == str(error)
    else:
        assert_equal(memory, read_series(SeriesDataConfig(str(tmp_path / "x.csv"), memory_megabytes=0)))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("step", ["1h", "1D", "400ms", "1h but one"])
@pytest.mark.parametrize("offset", ["", "+00:00"])
def test_times_that_are_equally_far_apart_stay_on_disk(
    zone: str, step: str, offset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_series, "SAMPLE", 50)
    monkeypatch.setattr(table_series, "AT_ONCE", 7)
    times = pd.date_range("2024-01-30", periods=130, freq=step.split()[0]).to_series()
    times.iloc[120] += pd.Timedelta("3s") if "but" in step else pd.Timedelta(0)
    loads = [np.nan, *np.arange(129.0)]
    texts = times.dt.strftime("%Y-%m-%dT%H:%M:%S.%f") + offset
    pd.DataFrame({"time": texts, "a": loads, "b": np.nan, "c": [np.nan] + [3.0] * 129}).to_csv(
        tmp_path / "x.csv", index=False
    )
    try:
        memory, disk = both(str(tmp_path / "x.csv"), channels=("a", "b", "c"), timezone=zone)
    except DataError as error:
        assert zone != "UTC" and step == "1D" and "apart" in str(error)  # a day of the calendar is no 24 hours
        return
    assert_equal(memory, disk)
    plain = "but" not in step and (zone == "UTC" or bool(offset))
    assert isinstance(disk[0].times, np.memmap) == (plain and (zone == "UTC" or step != "1D"))


def test_windows_and_fingerprints_are_the_same(tmp_path: Path) -> None:
    found = []
    for series in both(write(frame(), "plain", tmp_path), **ROLES):
        parts = [SeriesPart(one, 0, 50 + 3 * number) for number, one in enumerate(series)]
        stored = StoredSeries(parts, history_steps=8, horizon_steps=3, minimum_history=2)
        batches = [*stored.batches(batch_size=5, seed=1, start_step=2).take(2).as_numpy_iterator()]
        found.append([*batches, *stored.ordered(batch_size=7).as_numpy_iterator()])
    for one, other in zip(*found, strict=True):
        assert one.keys() == other.keys() > {"labels", "times", "valid"}
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)
            assert one[name].dtype == other[name].dtype


def test_the_digest_of_a_large_array_is_that_of_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.arange(1000.0).reshape(100, 10)
    whole = digest_examples([array])
    monkeypatch.setattr("rnnapps.data.digest.BLOCK_BYTES", 700)
    assert digest_examples([array]) == whole == digest_examples([array.tobytes()])


def test_gaps_and_repeated_times_are_refused_with_their_row(tmp_path: Path) -> None:
    table = frame()
    source = write(table.drop(index=table.index[150:153]), "plain", tmp_path)
    with pytest.raises(DataError, match=r"x\.csv: row 151: .*but rows are 1h apart"):
        read_series(SeriesDataConfig(source, memory_megabytes=0, **ROLES))
    filled = both(source, irregular="regularise", **ROLES)[0]
    disk = read_series(SeriesDataConfig(source, memory_megabytes=0, irregular="regularise", **ROLES))
    assert_equal(filled, disk)


def test_a_bad_cell_is_told_with_its_line(tmp_path: Path) -> None:
    source = write(frame(), "plain", tmp_path)
    lines = Path(source).read_text().splitlines()
    lines[140] = lines[140].replace(lines[140].split(",")[2], "oje", 1)
    Path(source).write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"holds text: line 141: 'oje'"):
        read_series(SeriesDataConfig(source, memory_megabytes=0, **ROLES))


def test_a_table_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(frame(), "parquet", tmp_path)
    first = read_series(SeriesDataConfig(source, memory_megabytes=0, **ROLES))

    def fail(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("rnnapps.data.tables.arrow.ParquetReader.read_in_pieces", fail)
    assert_equal(first, read_series(SeriesDataConfig(source, memory_megabytes=0, validation_fraction=0.3, **ROLES)))
