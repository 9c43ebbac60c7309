"""Other packages add formats of tables."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnapps.data import converters
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.tables import readers
from rnnapps.data.tables.reader import FoundTable, TableOptions, TableReader
from rnnapps.errors import ConfigError, DataError


class CountReader(TableReader):
    """A format that holds a number of rows alone."""

    title, suffixes, magic = "a file of counts", (".counts",), (b"COUNTS",)

    def read(self, path: Path, options: TableOptions) -> FoundTable:
        rows = int(path.read_bytes().removeprefix(b"COUNTS"))
        return FoundTable(pd.DataFrame({"n": np.arange(float(rows))}), lambda row: f"count {row}")


READER = CountReader()


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    entry = EntryPoint("counts", f"{__name__}:{request.param}", readers.READER_GROUP)
    monkeypatch.setattr(converters, "entry_points", lambda group: [entry] if group == entry.group else [])
    readers.table_readers.cache_clear()
    request.addfinalizer(readers.table_readers.cache_clear)


@pytest.mark.parametrize("offered", ["READER"], indirect=True)
@pytest.mark.usefixtures("offered")
def test_a_reader_of_another_package_is_found_by_name_and_first_bytes(tmp_path: Path) -> None:
    for name, content in (("x.counts", b"5"), ("x.csv", b"COUNTS5")):
        (tmp_path / name).write_bytes(content)
        (series,) = read_series(SeriesDataConfig(source=str(tmp_path / name)))
        np.testing.assert_array_equal(series.values[:, 0], np.arange(5))
        assert series.rules["format"] == "a file of counts"
    (tmp_path / "y.counts").write_bytes(b"0")
    with pytest.raises(DataError, match="has columns but no rows"):
        read_series(SeriesDataConfig(source=str(tmp_path / "y.counts")))


@pytest.mark.parametrize(
    ("offered", "told"),
    [
        ("CountReader", "is no TableReader; name an instance"),
        ("absent", "'counts' .* cannot be loaded: AttributeError"),
    ],
    indirect=["offered"],
)
@pytest.mark.usefixtures("offered")
def test_a_wrong_entry_is_told(tmp_path: Path, told: str) -> None:
    (tmp_path / "x.csv").write_text("time,v\n2024-01-01,1\n2024-01-02,2\n")
    with pytest.raises(ConfigError, match=told):
        read_series(SeriesDataConfig(source=str(tmp_path / "x.csv")))


def test_every_reader_says_what_it_reads() -> None:
    for reader in readers.READERS.values():
        assert reader.title.startswith(("a ", "an ")) and all(suffix.startswith(".") for suffix in reader.suffixes)
