from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.layouts import by_subset, list_rows


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


def write_subset(folder: Path, speaker: int) -> None:
    place = folder / str(speaker) / "7"
    place.mkdir(parents=True)
    (place / f"{speaker}-7.trans.txt").write_text(f"{speaker}-7-0000 GO\n")


def test_subsets_of_librispeech_are_the_parts(tmp_path: Path) -> None:
    subsets = ("train-clean-100", "train-other-500", "dev-clean", "test-clean", "test-other")
    for speaker, subset in enumerate(subsets):
        write_subset(tmp_path / "LibriSpeech" / subset, speaker)
    parts = by_subset(list_rows(tmp_path), tmp_path)
    found = {part: [row.speaker for row in rows] for part, rows in parts.items()}
    assert found == {"train": ["0", "1"], "validation": ["2"], "test": ["3", "4"]}
    alone = tmp_path / "LibriSpeech" / "dev-clean"
    assert list(by_subset(list_rows(alone), alone)) == ["train"]
    write_subset(tmp_path / "more", 9)
    with pytest.raises(DataError, match=r"and recordings outside them: .*9-7-0000\.flac; move them into folders"):
        by_subset(list_rows(tmp_path), tmp_path)


def test_ljspeech(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text('LJ001-0001|In 1900 "we"|In nineteen hundred "we"\nLJ001-0002|only\n')
    rows = list_rows(tmp_path)
    assert [row.transcript for row in rows] == ['In nineteen hundred "we"', "only"]
    assert rows[0].audio == tmp_path / "wavs" / "LJ001-0001.wav"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "line 1: has no column audio; its columns are none"),
        ("audio,words\na.wav,b\n", "has no column transcript"),
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


PIECES = [b"audio,transcript", b",speaker", b"\n", b"\r\n", b'"', b",", b"|", b"a.wav", b"1-2-0000 GO", b"../", b"\0"]
WHOLE = {
    "train.csv": b'audio,transcript,speaker\na.wav,"One, two",anna\nb.flac,three,ben\n',
    "metadata.csv": b"LJ001-0001|In 1900|In nineteen hundred\nLJ001-0002|only\n",
    "84-121123.trans.txt": b"84-121123-0000 GO DO YOU HEAR\n84-121123-0001 BUT\n",
}


def listed(folder: Path, name: str, content: bytes) -> bool:
    """Whether a file of that name lists recordings; anything but rows or a DataError of one line fails."""
    for other in WHOLE:
        (folder / other).unlink(missing_ok=True)
    (folder / name).write_bytes(content)
    try:
        rows = list_rows(folder / name if name == "train.csv" else folder)
    except DataError as error:
        assert str(error).startswith(str(folder)) and "\n" not in str(error), content
        return False
    assert rows and all(row.audio.name and "\0" not in str(row.audio) for row in rows), content
    return True


@given(st.sampled_from(sorted(WHOLE)), st.lists(st.sampled_from(PIECES) | st.binary(max_size=6), max_size=12))
def test_any_bytes_are_rows_or_clear_errors(
    tmp_path_factory: pytest.TempPathFactory, name: str, pieces: list[bytes]
) -> None:
    listed(tmp_path_factory.getbasetemp(), name, b"".join(pieces))


@pytest.mark.slow
def test_thousands_of_mutated_manifests_are_rows_or_clear_errors(tmp_path: Path) -> None:
    draw, valid = random.Random(0), 0
    for _ in range(2500):
        name = draw.choice(sorted(WHOLE))
        content = bytearray(WHOLE[name])
        for _ in range(draw.randint(1, 5)):
            place = draw.randrange(len(content) + 1)
            content[place : place + draw.randint(0, 9)] = draw.choice([*PIECES, draw.randbytes(3)])
        valid += listed(tmp_path, name, bytes(content))
    assert 200 < valid < 2300
