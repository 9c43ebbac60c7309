"""What is made once and kept in bounded space."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnapps.data.stored.entries import StoredFolders
from rnnapps.errors import DataError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path))
    return tmp_path / "things"


def write(size: int) -> object:
    return lambda folder: (folder / "a").write_bytes(bytes(size))


def test_an_entry_is_made_once(cache: Path) -> None:
    made: list[Path] = []

    def record(folder: Path) -> None:
        made.append(folder)
        (folder / "a").write_bytes(b"x")

    for _ in range(2):
        assert (StoredFolders("things", 1).open("key", record) / "a").read_bytes() == b"x"
    assert len(made) == 1 and [path.name for path in cache.iterdir()] == ["key"]


def test_half_an_entry_is_never_seen(cache: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "a").write_bytes(b"x")
        raise DataError("file", "is damaged")

    with pytest.raises(DataError, match="is damaged"):
        StoredFolders("things", 1).open("key", fail)
    assert not list(cache.iterdir())


def test_what_was_not_used_for_longest_leaves_first(cache: Path) -> None:
    for number, name in enumerate(("old", "older", "new")):
        path = StoredFolders("things", 9).open(name, write(400_000))
        os.utime(path, (0, 10 - number if name != "new" else 20))
    StoredFolders("things", 9).open("older", write(0))  # used again
    os.utime(cache / "older", (0, 30))
    StoredFolders("things", 1).open("newest", write(400_000))
    assert sorted(path.name for path in cache.iterdir()) == ["newest", "older"]


def test_one_data_set_that_does_not_fit_is_told(cache: Path) -> None:
    kept = StoredFolders("things", 1)
    kept.open("a", write(700_000))
    with pytest.raises(DataError, match=r"takes more than 1 MB there; raise --data\.cache_megabytes"):
        kept.open("b", write(700_000))
    assert [path.name for path in cache.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_written_is_told(cache: Path) -> None:
    cache.write_bytes(b"in the way")
    with pytest.raises(DataError, match=r"cannot be written: .*; free space, or name another folder"):
        StoredFolders("things", 1).open("a", write(1))
