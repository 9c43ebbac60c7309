"""Compressed files and archives are read as what they hold, within limits, and damaged or hostile ones in one line."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pytest

from rnnapps.data import archives, compressed
from rnnapps.data.archives import unpacked_source
from rnnapps.data.compressed import decompressed, plain_name, plain_stem, plain_suffix
from rnnapps.data.sources import list_files, read_bytes
from rnnapps.errors import DataError

CONTENT = b"It was the best of times.\n" * 400


def zstd(content: bytes) -> bytes:
    packed: bytes = pyarrow.Codec("zstd").compress(content, asbytes=True)
    return packed


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
}


@pytest.mark.parametrize("kind", PACKERS)
def test_a_compressed_file_is_read_as_what_it_holds(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"book.txt.{kind}"
    path.write_bytes(PACKERS[kind](CONTENT))
    assert read_bytes(path, maximum_bytes=20_000) == CONTENT
    assert (plain_name(path), plain_stem(path), plain_suffix(path)) == ("book.txt", "book", ".txt")
    assert list_files(tmp_path, (".txt",)) == [path] and not list_files(tmp_path, (".csv",))
    assert unpacked_source(path).read_bytes() == CONTENT and unpacked_source(path).name == "book.txt"
    with pytest.raises(DataError, match="unpacks to more than 1,000 bytes"):
        read_bytes(path, maximum_bytes=1000)


@pytest.mark.parametrize("kind", PACKERS)
def test_damaged_ones_are_one_line_or_right(kind: str, tmp_path: Path) -> None:
    draw, whole = np.random.default_rng(0), PACKERS[kind](CONTENT)
    refused = 0
    for _ in range(250):
        content = bytearray(whole)
        for _ in range(draw.integers(1, 4)):
            content[draw.integers(len(content))] = draw.integers(256)
        name = f"{kind}.{kind}"
        try:
            decompressed(bytes(content[: draw.integers(1, len(content) + 1)]), name, maximum_bytes=1 << 20)
        except DataError as error:
            assert str(error).startswith(f"{name}: cannot be unpacked") and "\n" not in str(error)
            refused += 1
    assert refused > 100


def test_a_text_may_begin_like_a_compressed_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"BZh is what it begins with")
    assert read_bytes(tmp_path / "a.txt", maximum_bytes=100).startswith(b"BZh is")


def pack(path: Path, members: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            information = tarfile.TarInfo(name)
            information.size = len(content)
            tar.addfile(information, io.BytesIO(content))
    return path


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_archives_stand_for_their_file_or_their_folder(ending: str, tmp_path: Path) -> None:
    one = unpacked_source(
        pack(tmp_path / f"one.{ending}", {"top/book.txt": CONTENT, ".hidden": b"", "__MACOSX/x": b""})
    )
    assert one.name == "book.txt" and one.read_bytes() == CONTENT
    members = {"top/train/a.txt": b"a", "top/test/b.txt": b"b", "top/.git/c.txt": b"c"}
    many = unpacked_source(pack(tmp_path / f"many.{ending}", members))
    assert [str(file.relative_to(many)) for file in list_files(many, (".txt",))] == ["test/b.txt", "train/a.txt"]
    assert unpacked_source(tmp_path / f"many.{ending}") == many, "it is unpacked once"
    with pytest.raises(DataError, match="is an archive without files"):
        unpacked_source(pack(tmp_path / f"none.{ending}", {".hidden": b"x"}))
    for name in ("../out.txt", "/etc/out.txt", "a/../../out.txt"):
        with pytest.raises(DataError, match="which lies outside of it"):
            unpacked_source(pack(tmp_path / f"bad{len(name)}.{ending}", {name: b"x"}))


def test_archives_that_unpack_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.txt", bytes(1 << 22))
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    with pytest.raises(DataError, match="unpacks to more than the 1,048,576 bytes there is room for"):
        unpacked_source(bomb)
    monkeypatch.setattr(archives, "MOST_FILES", 2)
    with pytest.raises(DataError, match="holds more than 2 files"):
        unpacked_source(pack(tmp_path / "many.zip", {f"{number}.txt": b"" for number in range(3)}))


def test_damaged_archives_are_one_line(tmp_path: Path) -> None:
    whole = pack(tmp_path / "whole.zip", {"a.txt": CONTENT, "b.txt": CONTENT}).read_bytes()
    draw = np.random.default_rng(0)
    for number in range(100):
        content = bytearray(whole)
        for _ in range(3):
            content[draw.integers(len(content))] = draw.integers(256)
        path = tmp_path / f"damaged{number}.zip"
        path.write_bytes(bytes(content[: draw.integers(len(content) // 2, len(content) + 1)]))
        try:
            unpacked_source(path)
        except DataError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)


def test_folders_and_what_is_not_there_are_left_to_the_reader(tmp_path: Path) -> None:
    assert unpacked_source(tmp_path) == tmp_path and unpacked_source("builtin") == Path("builtin")
    assert unpacked_source("a" * 300) == Path("a" * 300), "no name that the system takes"
    assert compressed.compression_of("a.txt", b"") == ""
