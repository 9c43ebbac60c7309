"""`rnnapps PIPELINE data`: what each pipeline understands of data that are known, and what it warns of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile

import rnnapps
from rnnapps.cli.main import main
from rnnapps.errors import DataError


def told(capsys: pytest.CaptureFixture[str], pipeline: str, *argv: object) -> dict[str, Any]:
    capsys.readouterr()
    assert main([pipeline, "data", *map(str, argv), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def sizes(found: dict[str, Any]) -> dict[str, dict[str, float]]:
    return {part["name"]: part["sizes"] for part in found["parts"]}


def cautions(found: dict[str, Any]) -> str:
    return "\n".join(caution["text"] for caution in found["cautions"])


def test_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = "It was the best of times, it was the worst of times.\n"
    (tmp_path / "book.txt").write_text(line * 90 + "Пёс.\n" * 20)
    source = ("--data.source", tmp_path / "book.txt", "--data.validation_fraction", "0.1")
    found = told(capsys, "text_generation", *source, "--html", tmp_path / "page.html")
    assert sizes(found) == {"train": {"characters": 4383, "lines": 82}, "validation": {"characters": 487, "lines": 28}}
    assert found["facts"]["different characters in training"] == len(set(line))
    assert found["facts"]["encoding"] == "UTF-8"
    assert "7 of 7 validation lines of 40 characters and more are in training too" in cautions(found)
    assert "of the validation characters are not in training: " in cautions(found) and "'П'" in cautions(found)
    assert found["examples"][0]["text"].startswith("It was the best")
    assert not found["suggestions"]
    assert f"<td>{line}{line}" in (tmp_path / "page.html").read_text(), "an example is one cell of the page"


def test_a_text_that_fills_no_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "book.txt").write_text("To be, or not to be. " * 50)
    found = told(capsys, "text_generation", "--data.source", tmp_path / "book.txt")
    suggested = {each["flag"]: each["value"] for each in found["suggestions"]}
    assert suggested == {"--training.batch_size": 14}, "945 characters are 14 sequences of 64 steps, and one more"


def test_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"satz nummer {number}\tsentence number {number}" for number in range(80)]
    (tmp_path / "pairs.tsv").write_text("\n".join([*lines, lines[0], "ja\t" + "yes " * 60, "broken"]))
    (tmp_path / "test.tsv").write_text(lines[3])
    source = ("--data.source", tmp_path / "pairs.tsv", "--data.test", tmp_path / "test.tsv")
    found = told(capsys, "translation", *source, "--data.validation_fraction", "0.05")
    assert [each["file"] for each in found["skipped"]] == [str(tmp_path / "pairs.tsv")]
    assert "line 83 has 1 columns" in found["skipped"][0]["problem"]
    assert {each["reason"]: each["count"] for each in found["left_out"]} == {
        "repeats an earlier pair": 1,
        "one side over 4 times as long": 1,
    }
    assert sizes(found)["train"]["pairs"] + sizes(found)["validation"]["pairs"] == 80
    assert "1 of 1 test pairs are in training too" in cautions(found)


def test_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["audio,transcript"]
    for number in range(64):
        name = f"{number % 2}_{('ann', 'bob')[number // 2 % 2]}_{number}.wav"
        gain = {4: 20.0, 9: 1e-4}.get(number, 0.5)
        soundfile.write(tmp_path / name, np.clip(gain * np.sin(np.arange(2000) * (7 + number) / 99), -1, 1), 8000)
        rows.append(f"{name},{('no', 'yes')[number % 2]}")
    (tmp_path / "2_eve_65.wav").write_bytes(b"RIFF")
    (tmp_path / "all.csv").write_text("\n".join([*rows, "2_eve_65.wav,no", "gone.wav,yes"]))
    page = tmp_path / "data.html"
    source = ("--data.source", tmp_path / "all.csv", "--data.sample_rate_hz", 8000)
    found = told(capsys, "speech_recognition", *source, "--html", page)
    assert sum(part["recordings"] for part in sizes(found).values()) == 64
    assert {Path(each["file"]).name for each in found["skipped"]} == {"2_eve_65.wav", "gone.wav"}
    assert "1 of 64 recordings are clipped: 0_ann_4.wav" in cautions(found)
    assert "1 of 64 recordings are nearly silent: 1_ann_9.wav" in cautions(found)
    assert "speakers of validation are in training too: ann, bob" in cautions(found)
    suggested = {each["flag"]: each["value"] for each in found["suggestions"]}
    assert suggested["--data.unit"] == "words" and suggested["--data.speaker_pattern"].startswith("^(?:[^_]*_){1}")
    assert page.read_text().count("<audio") == 3
    pattern = suggested["--data.speaker_pattern"]
    again = told(capsys, "speech_recognition", *source, "--data.speaker_pattern", pattern)
    assert again["facts"]["speakers"] == 2, "a suggested flag works as it is printed"
    assert "--data.sample_rate_hz" not in suggested
    faster = told(capsys, "speech_recognition", *source[:3], 16_000)
    assert ("--data.sample_rate_hz", 8000) in [(each["flag"], each["value"]) for each in faster["suggestions"]]


def test_pieces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(20):
        pitches = [60] * 4 if number < 2 else [60 + number, 62, 64, 65]
        kinds = (("note_on", 0), ("note_off", 480))
        track = mido.MidiTrack(mido.Message(kind, note=pitch, time=time) for pitch in pitches for kind, time in kinds)
        mido.MidiFile(tracks=[track]).save(tmp_path / f"{number:02}.mid")
    found = told(capsys, "music_generation", "--data.source", tmp_path)
    assert {name: part["pieces"] for name, part in sizes(found).items()} == {"train": 16, "validation": 2, "test": 2}
    assert found["facts"]["notes"] == 80 and "80 notes in all" in cautions(found)
    assert [part["reason"] for part in found["parts"]][1] == "10 % of the pieces, at random"


def test_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["when;load;dead"]
    for hour in range(24 * 30):
        load = np.sin(hour * 2 * np.pi / 24) + (30 if hour > 24 * 27 else 0)
        rows.append(f"2024-01-{1 + hour // 24:02} {hour % 24:02}:00;{load:.3f};7".replace(".", ","))
    (tmp_path / "meter.csv").write_text("\n".join(rows))
    source = ("--data.source", tmp_path / "meter.csv")
    for pipeline in ("forecasting", "anomaly_detection"):
        found = told(capsys, pipeline, *source)
        facts = found["facts"]
        assert (facts["time column"], facts["frequency"], facts["separator"]) == ("'when'", "1h", "';'")
        assert facts["decimal character"] == "','" and facts["period found, rows"] == 24
        assert "column 'dead': the same in all training rows" in cautions(found)
        assert "the middle of the test rows is shifted" in cautions(found)
        assert "--data.season_steps" in [each["flag"] for each in found["suggestions"]]
        assert any("'when' is read as the time" in note for note in found["notes"])
    found = told(capsys, "forecasting", *source, "--data.test_rows", 24, "--data.validation_rows", 48)
    reasons = [part["reason"].split(";")[0] for part in found["parts"]]
    assert reasons == [
        f"{rows} of each series" for rows in ("the rows before them", "the 48 rows before the test", "the last 24 rows")
    ]
    assert main(["forecasting", "data", *map(str, source)]) == 0
    printed = capsys.readouterr().out
    assert "! column 'dead': the same in all training rows" in printed and "--data.season_steps 24" in printed


@pytest.mark.slow
def test_reading_needs_no_tensorflow(tmp_path: Path) -> None:
    rows = (f"2024-01-{day:02},{day % 7}" for day in range(1, 29))
    (tmp_path / "days.csv").write_text("\n".join(["time,sales", *rows]))
    flags = ["forecasting", "data", "--data.source", str(tmp_path / "days.csv"), "--html", str(tmp_path / "data.html")]
    code = f"import sys; from rnnapps.cli.main import main; main({flags}); sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
    assert "<img" in (tmp_path / "data.html").read_text()


def test_from_python(tmp_path: Path) -> None:
    report = rnnapps.look("text_generation", {"source": ["To be, or not to be."] * 9, "validation_fraction": 0.2})
    assert [part.name for part in report.parts] == ["train", "validation"]
    with pytest.raises(DataError, match="does not exist"):
        rnnapps.look("translation", str(tmp_path / "none.tsv"))
