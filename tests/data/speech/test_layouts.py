from __future__ import annotations

from pathlib import Path

import pytest

from rnnapps.data.speech.layouts import list_rows
from rnnapps.errors import DataError


def test_a_manifest_with_and_without_speakers(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text('audio,transcript,speaker\nclips/a.wav,"One, two",anna\nb.flac,three,\n')
    first, second = list_rows(path, r"^(\w)")
    assert (first.audio, first.transcript, first.speaker) == (tmp_path / "clips/a.wav", "One, two", "anna")
    assert (second.speaker, second.place) == ("b", f"{path}, line 3")


def test_librispeech(tmp_path: Path) -> None:
    folder = tmp_path / "84" / "121123"
    folder.mkdir(parents=True)
    (folder / "84-121123.trans.txt").write_text("84-121123-0000 GO DO YOU HEAR\n84-121123-0001 BUT\n")
    rows = list_rows(tmp_path)
    assert [(row.audio.name, row.transcript, row.speaker) for row in rows] == [
        ("84-121123-0000.flac", "GO DO YOU HEAR", "84"),
        ("84-121123-0001.flac", "BUT", "84"),
    ]


def test_ljspeech(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text('LJ001-0001|In 1900 "we"|In nineteen hundred "we"\nLJ001-0002|only\n')
    rows = list_rows(tmp_path)
    assert [row.transcript for row in rows] == ['In nineteen hundred "we"', "only"]
    assert rows[0].audio == tmp_path / "wavs" / "LJ001-0001.wav"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "line 1: has no column audio; its columns are none"),
        ("audio,text\na.wav,b\n", "has no column transcript"),
        ("audio,transcript\n", "holds no recordings"),
        ("audio,transcript\na.wav\n", "line 2: expected 2 cells"),
        ("audio,transcript\na.wav,b,c\n", "line 2: expected 2 cells"),
        ("audio,transcript\n ,b\n", "line 2: names no audio file"),
        ('audio,transcript\na.wav,"b\n', "unexpected end of data"),
    ],
)
def test_bad_manifests(content: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=complaint) as raised:
        list_rows(path)
    assert "\n" not in str(raised.value)


def test_a_speaker_pattern_must_fit(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("audio,transcript\nx.wav,b\n")
    with pytest.raises(DataError, match=r"line 2: data\.speaker_pattern 'q\(\.\)' is not in 'x\.wav'"):
        list_rows(tmp_path / "all.csv", "q(.)")


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no recordings"):
        list_rows(tmp_path)
    (tmp_path / "1-2.trans.txt").write_text("../../etc/passwd HELLO\n")
    with pytest.raises(DataError, match=r"line 1: '\.\./\.\./etc/passwd' is no name of a recording"):
        list_rows(tmp_path)
    (tmp_path / "metadata.csv").write_text("one|two|three|four\n")
    with pytest.raises(DataError, match=r"metadata\.csv: line 1: expected name\|transcript"):
        list_rows(tmp_path)
    (tmp_path / "binary.csv").write_bytes(b"audio,transcript\n\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        list_rows(tmp_path / "binary.csv")
