"""Patterns and URLs stand for what they find: read like a folder on this machine, within limits, told and refused."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnapps.data import archives, elsewhere
from rnnapps.data.archives import unpacked_source
from rnnapps.data.sources import list_files
from rnnapps.data.text.documents import read_documents
from rnnapps.errors import DataError


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_patterns_are_the_folder_of_what_they_find(tmp_path: Path) -> None:
    for name in ("a/one.txt", "a/two.txt", "b/one.txt", "b/one.csv", ".c/one.txt", "[x].txt"):
        write(tmp_path / name, f"this is {name}")
    folder = unpacked_source(f"{tmp_path}/**/one.txt")
    assert [str(path.relative_to(folder)) for path in list_files(folder)] == ["a/one.txt", "b/one.txt"]
    assert read_documents(f"{tmp_path}/*/*.txt")[0] == "this is a/one.txt\n\n"
    assert unpacked_source(f"{tmp_path}/b/*.csv") == tmp_path / "b" / "one.csv"
    assert unpacked_source(f"{tmp_path}/[x].txt") == tmp_path / "[x].txt"
    write(tmp_path / "y.txt", "this is another file")
    assert unpacked_source(tmp_path / "[y].txt") == tmp_path / "[y].txt", "the file that a list names, and no other"
    with pytest.raises(DataError, match=r"/z\*: finds no file; quote it"):
        unpacked_source(f"{tmp_path}/z*")


@pytest.fixture
def bucket() -> Iterator[str]:
    fsspec = pytest.importorskip("fsspec")
    system, name = fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}"
    for path, content in (("a/one.txt", b"one"), ("a/b/two.txt", b"two"), ("a/c.csv", b"three")):
        system.pipe(f"{name}/{path}", content)
    yield f"memory:/{name}"
    system.rm(name, recursive=True)


def test_urls_are_fetched_once(bucket: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = unpacked_source(f"{bucket}/a")
    assert [str(path.relative_to(folder)) for path in list_files(folder)] == ["b/two.txt", "c.csv", "one.txt"]
    assert "3 files are fetched, 11 bytes" in capsys.readouterr().err
    assert unpacked_source(f"{bucket}/a") == folder and not capsys.readouterr().err
    assert unpacked_source(f"{bucket}/a/one.txt").read_text() == "one"
    assert read_documents(f"{bucket}/a/**/*.txt") == ["two\n\n", "one"]
    assert elsewhere.is_url(bucket) and not elsewhere.is_url("tfds:a") and not elsewhere.is_url("C:/a")


def test_places_that_cannot_be_read_are_one_line(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(archives, "MOST_BYTES", 10)
        with pytest.raises(DataError, match="is more than the 10 bytes or 1,000,000 files there is room for"):
            unpacked_source(f"{bucket}/a")
    for url, said in {
        f"{bucket}/none.txt": "does not exist",
        "nosuch://a/b": "cannot be fetched: Protocol not known: nosuch",
    }.items():
        with pytest.raises(DataError, match=said) as raised:
            unpacked_source(url)
        assert str(raised.value).startswith(f"{url}: ") and "\n" not in str(raised.value)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(DataError, match=r"is a URL, for which fsspec is needed; pip install 'rnnapps\[urls\]'"):
        unpacked_source(f"{bucket}/other")


def test_nothing_is_written_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    listing = {"/m/../../x": {"type": "file", "size": 1}, "/m/a": {"type": "file", "size": 1}}
    monkeypatch.setattr(type(system), "find", lambda *_, **__: listing)
    with pytest.raises(DataError, match="which lies outside of it; do not trust it"):
        elsewhere.fetched("memory://m", tmp_path / "to", room=100)
    assert not list(tmp_path.iterdir())
