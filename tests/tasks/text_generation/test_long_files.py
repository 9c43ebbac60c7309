"""Files that are decoded piece by piece are read as those that are decoded at once, and refused like them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.data.text.documents import decode_text
from rnnapps.errors import DataError
from rnnapps.tasks.text_generation.data import long_files
from rnnapps.tasks.text_generation.data.long_files import encoding_of_file, lines_of, text_pieces

RUSSIAN = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\r\n"


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_files, "PIECE", 7)


def read(path: Path, encoding: str = "") -> str:
    return "".join(text_pieces(path, encoding_of_file(path, encoding, path)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1251"])
def test_a_text_in_pieces_is_that_in_one(encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes((RUSSIAN * 20 + "\r\rend").encode(encoding))
    assert (
        read(path) == decode_text(path.read_bytes(), path, guess=True) == (RUSSIAN * 20).replace("\r", "") + "\n\nend"
    )
    assert ("cp1251" in capsys.readouterr().err) == (encoding == "cp1251")


def test_a_compressed_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(RUSSIAN.encode()))
    assert read(path) == RUSSIAN.replace("\r", "")
    path.write_bytes(gzip.compress(RUSSIAN.encode())[:-9])
    with pytest.raises(DataError, match=r"cannot be read: .*copy it again"):
        read(path)


@pytest.mark.parametrize(
    ("content", "encoding", "problem"),
    [
        (b"one\ntwo\nab\xffcd", "", r"byte 10 \(line 3\) is 0xff, which is not UTF-8 text there; name its encoding"),
        (b"one\n" * 5 + "é".encode()[:1], "", r"byte 20 \(line 6\) is 0xc3, which is not UTF-8"),
        ("text".encode("utf-16")[:-1], "", "the byte order mark of UTF-16, but byte 8 is not text in it"),
        (b"one\n\x81", "cp1252", r"byte 4 \(line 2\) is 0x81, which is no cp1252 text; name another"),
        (b"a\0" * 40, "", "looks binary or like UTF-16: 40 of 80 bytes are zero"),
        (b"\x89PNG\r\n\x1a\n" + bytes(9), "", "is a PNG picture, not text"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(content: bytes, encoding: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=problem):
        read(path, encoding)


@given(text=st.text("ab\n\x0b\u2028", max_size=40), size=st.integers(1, 9))
def test_lines(text: str, size: int) -> None:
    lines = list(lines_of(text[at : at + size] for at in range(0, len(text), size)))
    assert "".join(lines) == text and all(line.find("\n") in (-1, len(line) - 1) for line in lines)
    assert len(lines) == len(text.removesuffix("\n").split("\n")) if text else not lines
