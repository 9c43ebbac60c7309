"""Transcripts as other programs read them: our own readers of captions and TextGrids read back what is written."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.errors import ConfigError
from rnnapps.tasks.speech_recognition.data.timed_texts import TimedText, captions, grid_texts
from rnnapps.tasks.speech_recognition.results import LongTranscription, TranscribedSegment, Transcription, Word
from rnnapps.tasks.speech_recognition.transcript_files import OUTPUT_SUFFIXES, captioned, write_transcript

WORDS = (Word("seven", 0.5, 0.75), Word("green", 0.75, 0.9), Word('"boats"', 3661.0, 3661.25))
SEGMENTS = (
    TranscribedSegment(0.3, 1.1, "seven green", 0.5),
    TranscribedSegment(3660.8, 3661.4, '"boats"', 0.25),
)
FOUND = LongTranscription("my file.wav", 'seven green "boats"', 0.4, WORDS, SEGMENTS)

SRT = """1
00:00:00,500 --> 00:00:00,900
seven green

2
01:01:01,000 --> 01:01:01,250
"boats"
"""
CTM = """my_file 1 0.500 0.250 seven
my_file 1 0.750 0.150 green
my_file 1 3661.000 0.250 "boats"
"""
GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 3661.250
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 3661.250
        intervals: size = 5
        intervals [1]:
            xmin = 0.000
            xmax = 0.500
            text = ""
        intervals [2]:
            xmin = 0.500
            xmax = 0.750
            text = "seven"
        intervals [3]:
            xmin = 0.750
            xmax = 0.900
            text = "green"
        intervals [4]:
            xmin = 0.900
            xmax = 3661.000
            text = ""
        intervals [5]:
            xmin = 3661.000
            xmax = 3661.250
            text = ""\"boats""\"
"""


def written(found: Transcription, path: Path) -> str:
    write_transcript(found, path)
    return path.read_text("utf-8")


def test_each_form_by_hand(tmp_path: Path) -> None:
    whole = Transcription(*(getattr(FOUND, field.name) for field in dataclasses.fields(Transcription)))
    assert written(FOUND, tmp_path / "a.srt") == SRT
    assert (
        written(FOUND, tmp_path / "a.vtt")
        == "WEBVTT\n\n"
        + "\n".join(line for line in SRT.replace(",", ".").splitlines(keepends=False) if not line.isdigit())
        + "\n"
    )
    assert written(FOUND, tmp_path / "a.ctm") == CTM
    assert written(whole, tmp_path / "a.TextGrid") == GRID
    assert json.loads(written(FOUND, tmp_path / "a.JSON"))["segments"][1]["start"] == 3660.8
    both = written(FOUND, tmp_path / "b.TextGrid")
    assert 'name = "segments"' in both and both.count("xmax = 3661.400") == 5
    assert grid_texts(both.replace('"words"', '"other"', 1).replace('"segments"', '"words"'), Path("b"))[0].text == (
        'seven green "boats"'
    )


def test_nothing_said_is_a_file_too(tmp_path: Path) -> None:
    nothing = Transcription("a.wav", "", 1.0, ())
    assert [written(nothing, tmp_path / f"a{suffix}") for suffix in (".srt", ".vtt", ".ctm")] == ["", "WEBVTT\n", ""]
    assert grid_texts(written(nothing, tmp_path / "a.textgrid"), Path("a")) == []


def test_captions_are_short() -> None:
    words = [Word(f"word{number}", number * 0.4, number * 0.4 + 0.3) for number in range(200)]
    found = list(captioned(words))
    assert " ".join(text for *_, text in found).split() == [word.word for word in words]
    for start, end, text in found:
        lines = text.split("\n")
        assert len(lines) <= 2 and max(map(len, lines)) <= 42 and end - start <= 7.0
    assert [text for *_, text in captioned([Word("a", 0, 1), Word("b", 1.9, 2), Word("c", 3, 4)])] == ["a b", "c"]
    assert [text for *_, text in captioned([Word("a" * 100, 0, 9)])] == ["\n".join(["a" * 42, "a" * 42, "a" * 16])]


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.srt: cannot be written: .*; give another --output FILE"):
        write_transcript(FOUND, tmp_path / "none" / "a.srt")


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
DRAWN = st.lists(st.tuples(st.integers(-3, 400), st.integers(0, 300), TEXTS), max_size=12)


@settings(max_examples=60, deadline=None)
@given(drawn=DRAWN)
def test_what_is_written_is_read_back(
    drawn: list[tuple[int, int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Words that overlap a little, or last no time, among them."""
    words, now = [], 0.0
    for pause, length, text in drawn:
        start = max(0.0, round(now + pause / 100, 3))
        now = round(start + length / 1000, 3)
        words.append(Word(text, start, now))
    found = Transcription("a.wav", " ".join(word.word for word in words), 1.0, tuple(words))
    folder = tmp_path_factory.getbasetemp()
    lines = [line.split(" ") for line in written(found, folder / "a.ctm").splitlines()]
    assert [line[4] for line in lines] == [word.word for word in words]
    starts, lengths = (np.array([float(line[place]) for line in lines]) for place in (2, 3))
    assert (lengths > 0).all() and (starts[1:] >= (starts + lengths)[:-1] - 1e-9).all()
    np.testing.assert_allclose(starts, [word.start for word in words], atol=0.03 + 0.001 * len(words))
    grid = grid_texts(written(found, folder / "a.TextGrid"), folder / "a.TextGrid")
    said = [word.word for word in words if word.word.lower() not in ("sil", "sp", "spn")]
    assert " ".join(each.text for each in grid) == " ".join(said)
    for suffix in (".srt", ".vtt"):
        content = written(found, folder / f"a{suffix}")
        cues = list(captions(content, folder / f"a{suffix}"))
        kept = [each for each in cues if isinstance(each, TimedText)]
        assert kept == cues and all(0 <= each.start < (each.end or 0) for each in kept)
        assert all(before.end <= after.start for before, after in itertools.pairwise(kept) if before.end)
        if suffix == ".vtt" and not any(set("[]()♪♫{") & set(word.word) for word in words):
            assert " ".join(each.text for each in kept).replace(" ", "") == "".join(word.word for word in words)


def test_every_ending_has_a_form(tmp_path: Path) -> None:
    assert OUTPUT_SUFFIXES == (".srt", ".vtt", ".ctm", ".textgrid", ".json")
    assert all(written(FOUND, tmp_path / f"a{suffix}") for suffix in OUTPUT_SUFFIXES)
