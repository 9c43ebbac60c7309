"""One damaged example among many: every pipeline that reads files leaves it out, tells it and counts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile

from rnnapps.errors import DataError
from rnnapps.verbs.configure import configure
from rnnapps.verbs.pipelines import find_pipeline

Write = Callable[[Path], tuple[str, str]]
"""Writes a source with one bad example; returns the source, and what names that example."""


def texts(folder: Path) -> tuple[str, str]:
    for number in range(4):
        (folder / f"{number}.txt").write_text("It was the best of times.\n" * 9)
    (folder / "2.txt").write_bytes(b"It was \xff the worst")
    return str(folder), "2.txt"


def pairs(folder: Path) -> tuple[str, str]:
    lines = [f"satz {number}\tsentence {number}" for number in range(40)]
    (folder / "pairs.tsv").write_text("\n".join([*lines[:20], "no tab here", *lines[20:]]))
    return str(folder / "pairs.tsv"), "line 21 has 1 columns"


def recordings(folder: Path) -> tuple[str, str]:
    rows = ["audio,transcript"]
    for number in range(8):
        soundfile.write(folder / f"{number}.wav", np.sin(np.arange(1600) / 9), 8000)
        rows.append(f"{number}.wav,one two")
    (folder / "5.wav").write_bytes(b"RIFF")
    (folder / "all.csv").write_text("\n".join(rows))
    return str(folder / "all.csv"), "5.wav"


def pieces(folder: Path) -> tuple[str, str]:
    for number in range(20):
        track = mido.MidiTrack([mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=960)])
        mido.MidiFile(tracks=[track]).save(folder / f"{number}.mid")
    (folder / "3.mid").write_bytes(b"MThd")
    return str(folder), "3.mid"


def tables(folder: Path) -> tuple[str, str]:
    for name in "abcd":
        rows = [f"2024-01-{day:02},{day}" for day in range(1, 29)]
        (folder / f"{name}.csv").write_text("\n".join(["time,value", *rows]))
    (folder / "c.csv").write_text("time,value\n2024-01-01,much\n")
    return str(folder), "c.csv"


SOURCES: dict[str, Write] = {
    "text_generation": texts,
    "translation": pairs,
    "speech_recognition": recordings,
    "music_generation": pieces,
    "forecasting": tables,
    "anomaly_detection": tables,
}


def read(name: str, source: str, **data: Any) -> Any:
    pipeline = find_pipeline(name)
    return pipeline.examples(configure(pipeline, {}, {"data": {"source": source, **data}}))


@pytest.mark.parametrize("name", SOURCES)
def test_a_bad_example_is_left_out_told_and_counted(name: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source, bad = SOURCES[name](tmp_path)
    splits = read(name, source, bad_limit=0.3)
    (skipped,) = splits.skipped
    assert bad in str(skipped)
    assert bad in capsys.readouterr().err


@pytest.mark.parametrize("name", SOURCES)
def test_beyond_the_limit_it_is_an_error_that_says_the_share(name: str, tmp_path: Path) -> None:
    source, bad = SOURCES[name](tmp_path)
    with pytest.raises(DataError, match=r"this is 1 of \d+ \w+, more than --data.bad_limit 0.01") as error:
        read(name, source)
    assert bad in str(error.value)


@pytest.mark.parametrize("name", SOURCES)
def test_it_may_be_refused_at_once(name: str, tmp_path: Path) -> None:
    source, bad = SOURCES[name](tmp_path)
    with pytest.raises(DataError) as error:
        read(name, source, on_bad="refuse", bad_limit=0.3)
    assert bad in str(error.value) and "bad_limit" not in str(error.value)
