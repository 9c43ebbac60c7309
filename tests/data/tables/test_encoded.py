"""CSV files in other encodings than UTF-8."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.reading import read_series
from rnnapps.data.tables.encoded import table_encoding
from rnnapps.errors import DataError

TABLE = "Datum;Zähler Süd;Größe (m²)\n" + "".join(f"2024-01-{day:02};{day},5;{day * 2}\n" for day in range(1, 21))
RUSSIAN = "дата;нагрузка северная;температура наружного воздуха\n" + TABLE.partition("\n")[2]


@pytest.mark.parametrize(
    ("text", "encoding", "told"),
    [
        (TABLE, "utf-16", "UTF-16"),
        (TABLE, "utf-32", "UTF-32"),
        (TABLE, "cp1252", "cp1252"),
        (TABLE, "latin-1", "cp1252"),
        (RUSSIAN, "cp1251", "cp1251"),
        (TABLE.replace("\n", "\r\n"), "utf-16", "UTF-16"),
    ],
)
def test_a_table_in_another_encoding_is_that_in_utf8(text: str, encoding: str, told: str, tmp_path: Path) -> None:
    found = []
    for name, content in (("a.csv", text.encode()), ("b.csv", text.encode(encoding))):
        (tmp_path / name).write_bytes(content)
        found += read_series(SeriesDataConfig(source=str(tmp_path / name)))
    plain, encoded = found
    assert encoded.channels == plain.channels
    assert encoded.values.tolist() == plain.values.tolist() and encoded.times is not None
    assert [note for note in encoded.notes if note not in plain.notes] == [f"it is not UTF-8, and is read as {told}"]


def test_an_error_names_the_file_and_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TABLE.replace("Größe (m²)", "Zähler Süd").encode("cp1252"))
    with pytest.raises(DataError, match=rf"^{tmp_path}/a\.csv: line 1: the name 'Zähler Süd' occurs twice"):
        read_series(SeriesDataConfig(source=str(tmp_path / "a.csv")))


@pytest.mark.parametrize(
    "content", [b"a,b\n1,\xff\n", b"a,b\n1,\x81\n", b"a\0,\xe4\n", b"a,b\n1,2\n", "ä,b\n".encode()]
)
def test_bytes_that_make_no_sense_stay_what_they_are(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert table_encoding(tmp_path / "a.csv") == "UTF-8"


def test_half_a_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TABLE.encode("utf-16")[:-1])
    with pytest.raises(DataError, match="is not UTF-16 text; save it as UTF-8"):
        read_series(SeriesDataConfig(source=str(tmp_path / "a.csv")))


@given(content=st.binary(max_size=60), begin=st.sampled_from([b"", b"\xff\xfe", b"a;b\n1;2\n"]))
def test_anything_is_data_or_one_line(content: bytes, begin: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(begin + content)
    try:
        read_series(SeriesDataConfig(source=str(path)))
    except DataError as error:
        assert "\n" not in str(error) and str(error).startswith(str(path))
