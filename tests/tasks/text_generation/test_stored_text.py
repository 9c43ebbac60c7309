"""Texts on disk say what they say in memory, letter for letter."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.data.digest import digest_examples
from rnnapps.data.stored.entries import StoredFolders
from rnnapps.data.text.documents import separated
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.data.text_writer import write_documents

DOCUMENTS = st.lists(st.text("ab\n ü\U0001f600", max_size=30), max_size=8)


def stored(documents: list[str], folder: Path, *, piece: int = 3) -> StoredText:
    """A text on disk, written in pieces of a few characters."""
    write_documents(folder, ([text[at : at + piece] for at in range(0, len(text), piece)] for text in documents))
    return StoredText.open(folder, StoredFolders("texts", 1))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path / "cache"))


@given(documents=DOCUMENTS, low=st.integers(0, 60), size=st.integers(0, 60))
def test_a_text_on_disk_is_that_in_memory(documents: list[str], low: int, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text, expected = stored(documents, Path(folder)), separated(documents)
        whole = "".join(expected)
        assert [str(piece) for piece in text] == expected
        assert [len(piece) for piece in text] == [len(piece) for piece in expected]
        assert (len(text), "".join(text.texts()), text.symbols()) == (len(whole), whole, dict(Counter(whole)))
        assert text.text(low, low + size) == whole[low : low + size]
        assert digest_examples(piece.blocks() for piece in text) == digest_examples(expected)
        table = np.arange(0x110000, dtype=np.int32)
        assert text.encoded(table)[low : low + size].tolist() == [ord(sign) for sign in whole[low : low + size]]


@given(documents=DOCUMENTS, cut=st.integers(0, 31), end=st.integers(0, 31))
def test_a_piece_is_much_like_a_text(documents: list[str], cut: int, end: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for piece, text in zip(stored(documents, Path(folder)), separated(documents), strict=True):
            for own, expected in ((piece, text), (piece[cut:end], text[cut:end]), (piece + "\n", text + "\n")):
                assert (str(own), len(own)) == (expected, len(expected))
                assert str(own.rstrip("\n")) == expected.rstrip("\n")
                assert str((own.rstrip("\n") + "\n")[cut:]) == (expected.rstrip("\n") + "\n")[cut:]
                assert [own.endswith(feeds) for feeds in ("\n", "\n\n")] == [
                    expected.endswith(feeds) for feeds in ("\n", "\n\n")
                ]


@pytest.mark.parametrize(("characters", "dtype"), [(255, np.uint8), (256, np.uint16), (70_000, np.uint32)])
def test_codes_are_as_wide_as_the_alphabet(characters: int, dtype: type, tmp_path: Path) -> None:
    points = [number for number in range(0x100, 0x20000) if not 0xD800 <= number < 0xE000]
    text = "abc\n" + "".join(map(chr, points[: characters - 4 + 1]))
    found = stored([text], tmp_path, piece=1000)
    assert found.codes.dtype == dtype and len(found.points) == characters + 1 and str(next(iter(found))) == text


def test_passages_are_evenly_spread(tmp_path: Path) -> None:
    text = stored(["".join(chr(0x400 + number) for number in range(100))], tmp_path)
    assert [ord(passage[0]) - 0x400 for passage in text.passages(3, 10)] == [0, 45, 90]
    assert list(text.passages(3, 50)) == [text.text(0, 100)]


def test_what_is_found_once_is_remembered(tmp_path: Path) -> None:
    text = stored(["abc"], tmp_path)
    assert [text.remember(text.key("a"), answer) for answer in (lambda: "first", lambda: "second")] == ["first"] * 2
    part = text.part([next(iter(text))[:2]])
    assert part.key("a") != text.key("a") != text.key("b")
