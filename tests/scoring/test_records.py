"""Rows out of files that an independent library has written."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnapps.errors import DataError
from rnnapps.scoring import file_rows, line_rows
from rnnapps.scoring.records import Records, find_inputs, rows_of
from rnnapps.scoring.row_format import CONTENT

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
TABLES = st.lists(st.fixed_dictionaries({"id": st.integers(-(2**53), 2**53), "text": TEXTS}), min_size=1, max_size=5)
MANY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def values(path: Path) -> list[dict[str, Any]]:
    return [dict(record.values) for record in Records([path])]


@MANY
@given(TABLES)
def test_json_lines_come_back(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = tmp_path / "a.jsonl"
    pd.DataFrame(rows).to_json(path, orient="records", lines=True)
    assert values(path) == rows


@MANY
@given(TABLES, st.sampled_from([".csv", ".tsv"]))
def test_csv_comes_back_as_text(tmp_path: Path, rows: list[dict[str, Any]], suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["id", "text"], delimiter="\t" if suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
    assert values(path) == [{name: str(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_may_end_as_on_any_machine(tmp_path: Path, end: str) -> None:
    (tmp_path / "a.csv").write_bytes(end.join(["id,text", '1,"two', 'lines"', "2,one", ""]).encode())
    assert values(tmp_path / "a.csv") == [{"id": "1", "text": f"two{end}lines"}, {"id": "2", "text": "one"}]


@MANY
@given(TABLES)
def test_parquet_comes_back(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame(rows).to_parquet(path)
    assert values(path) == rows


def test_lines_of_text_and_whole_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffone\r\n\nzwö\nlast".encode())
    (tmp_path / "b.bin").write_bytes(b"\x00\xff")
    assert values(tmp_path / "a.txt") == [{CONTENT: "one"}, {CONTENT: "zwö"}, {CONTENT: "last"}]
    assert values(tmp_path / "b.bin") == [{CONTENT: b"\x00\xff"}]


def test_members_of_an_archive_are_grouped_by_name(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, content in [("x/1.wav", b"sound"), ("x/1.seg.json", b"{}"), ("x/2.wav", b"more"), ("3", b"bare")]:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert values(tmp_path / "a.tar") == [
        {"key": "x/1", "wav": b"sound", "seg.json": b"{}"},
        {"key": "x/2", "wav": b"more"},
        {"key": "3", CONTENT: b"bare"},
    ]


def test_a_line_without_an_end_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_rows, "LONGEST_LINE", 64)
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n" + "x" * 200, encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.csv: has a line of more than 0 MiB"):
        list(Records([path]))


def test_a_bad_line_is_a_problem_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_rows, "LONGEST_LINE", 64)
    path = tmp_path / "a.jsonl"
    long = json.dumps({"text": "x" * 200})
    path.write_text(f'{{"text": "good"}}\n{{\n[1]\n{long}\n\n{{"text": "last"}}', encoding="utf-8")
    found = [(record.place.rpartition(" ")[2], record.problem) for record in Records([path])]
    assert found == [
        ("1", ""), ("2", "is not JSON"), ("3", "is no JSON object"), ("4", "is longer than 0 MiB"), ("6", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b'id,text\n1,"open', "behind line 1: unexpected end of data"),
        ("a.csv", b"id,text\n1,\xff\n", "behind line 1: 'utf-8' codec can't decode"),
        ("a.parquet", b"PAR1", "cannot be read as Parquet"),
        ("a.tar", b"no archive", "cannot be read (file could not be opened"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        list(Records([tmp_path / name]))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_compressed_files_are_what_they_hold(tmp_path: Path, ending: str) -> None:
    rows = [{"id": number, "text": "x" * number} for number in range(20)]
    pd.DataFrame(rows).to_json(tmp_path / f"a.jsonl{ending}", orient="records", lines=True)
    pd.DataFrame(rows).to_csv(tmp_path / f"b.csv{ending}", index=False)
    pd.DataFrame({"text": ["one", "two"]}).to_csv(tmp_path / f"c.txt{ending}", index=False, header=False)
    pd.DataFrame({"text": ["bytes"]}).to_csv(tmp_path / f"d.bin{ending}", index=False, header=False)
    assert values(tmp_path / f"a.jsonl{ending}") == rows
    assert [row["text"] for row in values(tmp_path / f"b.csv{ending}")] == [row["text"] for row in rows]
    assert values(tmp_path / f"c.txt{ending}") == [{CONTENT: "one"}, {CONTENT: "two"}]
    assert values(tmp_path / f"d.bin{ending}") == [{CONTENT: b"bytes\n"}]
    records = Records(find_inputs([tmp_path]))
    assert len(list(records)) == 43
    assert records.read == pytest.approx(records.total)


def test_a_cut_archive_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    pd.DataFrame({"a": range(5000)}).to_json(path, orient="records", lines=True)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"a\.jsonl\.gz: cannot be read \(Compressed file ended"):
        list(Records([path]))


def test_all_bytes_are_counted_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n' * 10, encoding="utf-8")
    (tmp_path / "b.csv").write_text("a\n" + "1\n" * 10, encoding="utf-8")
    pd.DataFrame({"a": range(10)}).to_parquet(tmp_path / "c.parquet")
    records = Records(find_inputs([tmp_path]))
    assert len(list(records)) == 30
    assert records.read == pytest.approx(records.total)
    assert records.share == pytest.approx(1.0)


def write_all_kinds(folder: Path, count: int) -> None:
    """A file of each kind with so many rows, and one that is a row as a whole."""
    frame = pd.DataFrame({"a": range(count), "b": [f'"{n}"\n' for n in range(count)]})
    frame.to_json(folder / "a.jsonl", orient="records", lines=True)
    frame.to_csv(folder / "b.csv.gz", index=False)
    frame.to_csv(folder / "c.tsv", index=False, sep="\t")
    frame.to_parquet(folder / "d.parquet")
    (folder / "e.txt").write_text("".join(f"line {n}\n\n" for n in range(count)))
    (folder / "f.bin").write_bytes(b"all")
    with tarfile.open(folder / "g.tar.gz", "w:gz") as archive:
        for name in (f"{n}.{end}" for n in range(count) for end in ("one", "two")):
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))


def test_rows_from_any_of_them_on_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an engine begins a part: in the middle of a file, at its first row, behind its last one."""
    monkeypatch.setattr(file_rows, "ROWS_AT_A_TIME", 2)
    write_all_kinds(tmp_path, 5)
    records = Records(find_inputs([tmp_path]))
    whole = list(records)
    counts = list(map(rows_of, records.sources))
    assert counts == [5, 5, 5, 5, 5, 1, 5]
    for source, count in enumerate(counts):
        for row in range(count + 1):
            assert list(records.beginning(source, row)) == whole[sum(counts[:source]) + row :]


def test_folders_are_searched_and_hidden_files_left_out(tmp_path: Path) -> None:
    for name in ("b/2.txt", "a/1.txt", ".hidden/3.txt", "a/.4.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert find_inputs([tmp_path]) == [tmp_path / "a/1.txt", tmp_path / "b/2.txt"]
    (tmp_path / "empty").mkdir()
    for missing in ("none", "empty"):
        with pytest.raises(DataError, match=missing):
            find_inputs([tmp_path / missing])
