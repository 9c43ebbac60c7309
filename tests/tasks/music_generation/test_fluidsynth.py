from __future__ import annotations

import io
import os
import wave
from pathlib import Path

import numpy as np
import pytest

from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.music_generation import fluidsynth
from rnnapps.tasks.music_generation.data.midi import write_midi
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.fluidsynth import FluidSynth, find_fluidsynth, is_installed
from rnnapps.tasks.music_generation.synthesis import SAMPLE_RATE_HZ

PIECE = Piece(np.array([[0, 2, 69, 80]], np.int32), tempo_bpm=60.0)
MIDI = write_midi(PIECE, steps_per_beat=1)
posix = pytest.mark.skipif(os.name != "posix", reason="the program that stands in for FluidSynth is a shell script")

PLAYS = """
for word; do case "$previous" in -F) sound=$word;; esac; previous=$word; done
head -c 4 "$word" | grep -q MThd || { echo "no MIDI file" >&2; exit 3; }
printf '\\000\\000\\200\\076\\000\\000\\000\\277' > "$sound"
"""
"""Writes one sample: left a quarter, right minus a half."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, in which `fluidsynth` is what the test writes, and a folder of soundfonts."""
    (tmp_path / "fonts").mkdir()
    monkeypatch.setattr(fluidsynth, "FOLDERS", (str(tmp_path / "fonts"),))
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), "/usr/bin", "/bin"]))
    return tmp_path


def install(place: Path, script: str, fonts: tuple[str, ...] = ("b.sf2",)) -> None:
    (place / "fluidsynth").write_text("#!/bin/sh\n" + script)
    (place / "fluidsynth").chmod(0o755)
    for name in fonts:
        (place / "fonts" / name).write_bytes(b"RIFF\x00\x00\x00\x00sfbk")


def read(content: bytes) -> tuple[int, int, np.ndarray]:
    with wave.open(io.BytesIO(content)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return file.getframerate(), file.getnchannels(), samples


@posix
def test_its_sound_becomes_a_wav_file_of_full_loudness(place: Path) -> None:
    install(place, PLAYS, ("a.sf2", "default.sf3", "z.sf2"))
    synthesizer = find_fluidsynth()
    assert is_installed() and synthesizer.soundfont.name == "default.sf3"
    rate, channels, samples = read(synthesizer.render_wav(MIDI, seconds=2.0))
    assert (rate, channels, samples.tolist()) == (SAMPLE_RATE_HZ, 2, [13107, -26214])


@posix
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'fluidsynth: error: fopen() failed' >&2", "fluidsynth: error: fopen"),
        ("echo gone >&2; exit 4", "gone"),
        ("exit 4", "ended with code 4"),
        ("", "wrote no sound"),
        (
            'for w; do case "$p" in -F) yes | head -c 20000000 > "$w" || exit 4;; esac; p=$w; done',
            "ended with code|size limit",
        ),
        ("sleep 5", "did not finish within"),
    ],
    ids=["complains", "fails", "dies", "silent", "floods", "hangs"],
)
def test_its_failures_are_one_line(script: str, reason: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fluidsynth, "TIMEOUT_SECONDS", 1)
    monkeypatch.setattr(fluidsynth, "SPARE_FILE_BYTES", 0)
    install(place, script)
    with pytest.raises(ConfigError, match=f"b.sf2: .*({reason}).*--synthesizer additive"):
        find_fluidsynth().render_wav(MIDI, seconds=1e-3)


@posix
def test_what_is_missing_is_said(place: Path) -> None:
    install(place, PLAYS, ())
    assert not is_installed()
    with pytest.raises(ConfigError, match="but no soundfont; install it"):
        find_fluidsynth()
    with pytest.raises(ConfigError, match=r"none\.sf2: No such file"):
        find_fluidsynth(str(place / "none.sf2"))
    with pytest.raises(ConfigError, match="is no soundfont"):
        find_fluidsynth(str(place / "fluidsynth"))
    (place / "fluidsynth").unlink()
    (place / "fonts" / "a.sf2").write_bytes(b"")
    if not any(Path(folder, "fluidsynth").exists() for folder in ("/usr/bin", "/bin")):
        with pytest.raises(ConfigError, match="fluidsynth is not installed"):
            find_fluidsynth()


def test_endless_pieces_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at most 1,800 are rendered"):
        FluidSynth("fluidsynth", tmp_path / "font.sf2").render_wav(MIDI, seconds=1801.0)


@pytest.mark.skipif(not is_installed(), reason="FluidSynth or a soundfont is not installed")
def test_the_real_one_plays_a_note_at_its_pitch() -> None:
    rate, channels, samples = read(find_fluidsynth().render_wav(MIDI, seconds=2.0))
    assert (rate, channels) == (SAMPLE_RATE_HZ, 2) and np.abs(samples).max() == 26214
    second = samples[: 2 * rate : 2].astype(float)
    assert abs(np.abs(np.fft.rfft(second)).argmax() - 440) <= 1  # one bin a hertz
