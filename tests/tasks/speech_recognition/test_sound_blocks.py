"""Sound that comes block by block is the sound that is read whole."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data.audio import parse_audio
from rnnapps.tasks.speech_recognition.data.sound import Sound, read_sound
from rnnapps.tasks.speech_recognition.data.sound_blocks import sound_blocks
from tests.tasks.speech_recognition.recordings import audio_bytes
from tests.tasks.speech_recognition.tracks import write_track

RATE = 8000


def noise(seconds: float, rate: int = RATE, channels: int = 1) -> np.ndarray:
    draw = np.random.default_rng(0)
    return (0.1 * draw.normal(size=(round(seconds * rate), channels))).astype(np.float32)


def together(sound: Sound, rate: int = RATE) -> np.ndarray:
    return np.concatenate(list(sound_blocks(sound, "x", sample_rate_hz=rate)))


@pytest.mark.parametrize(("kind", "subtype"), [("WAV", "PCM_24"), ("FLAC", None), ("OGG", "VORBIS"), ("MP3", None)])
@pytest.mark.parametrize(("rate", "channels"), [(RATE, 2), (44_100, 1)])
def test_blocks_are_the_whole(kind: str, subtype: str | None, rate: int, channels: int, tmp_path: Path) -> None:
    content = audio_bytes(noise(17, rate, channels), rate=rate, kind=kind, subtype=subtype)
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    whole = read_sound(path, "x", sample_rate_hz=RATE)
    assert len(list(sound_blocks(path, "x", sample_rate_hz=RATE))) > 1
    for sound in (path, str(path), content):
        found = together(sound)
        assert found.dtype == np.float32 and found.shape == whole.shape
        np.testing.assert_allclose(found, whole, atol=0 if rate == RATE else 1e-6)


def test_arrays_compressed_files_and_tracks(tmp_path: Path) -> None:
    samples = noise(9)[:, 0]
    np.testing.assert_array_equal(together(samples), samples)
    np.testing.assert_allclose(
        together((samples, 2 * RATE)), read_sound((samples, 2 * RATE), "x", sample_rate_hz=RATE), atol=1e-6
    )
    (tmp_path / "a.wav.gz").write_bytes(gzip.compress(audio_bytes(samples, subtype="FLOAT")))
    np.testing.assert_array_equal(together(tmp_path / "a.wav.gz"), samples)
    track = write_track(tmp_path / "a.mov", "pcm_s24le", 48_000, 2, seconds=50)  # of more than two parts
    whole = read_sound(track, "x", sample_rate_hz=48_000)
    assert len(list(sound_blocks(track, "x", sample_rate_hz=48_000))) == 3
    for sound in (track, track.read_bytes()):
        np.testing.assert_array_equal(together(sound, 48_000), whole)


def test_a_file_that_does_not_fit_into_memory_is_begun(tmp_path: Path) -> None:
    content = audio_bytes(noise(1))
    for name, sizes in (("told.wav", (1_200_000_036, 1_200_000_000)), ("piped.wav", (0xFFFFFFFF, 0xFFFFFFFF))):
        path = tmp_path / name
        whole, data = (size.to_bytes(4, "little") for size in sizes)
        path.write_bytes(content[:4] + whole + content[8:40] + data + content[44:])
        with open(path, "r+b") as file:
            file.truncate(1_200_000_044)  # 20 hours, of which the disk holds a second
        with pytest.raises(DataError, match="are read into memory"):
            read_sound(path, "x", sample_rate_hz=RATE)
        blocks = sound_blocks(path, "x", sample_rate_hz=RATE)
        heard = np.concatenate([next(blocks) for _ in range(2)])
        np.testing.assert_array_equal(heard[:RATE], parse_audio(content, "x", sample_rate_hz=RATE))
        assert len(heard) > RATE and not heard[RATE:].any()
        blocks.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty: it has 0 bytes"),
        (audio_bytes(np.zeros(0)), "holds no samples"),
        (b"hello, this is no sound at all" * 9, "is plain text, and no sound"),
        (audio_bytes(noise(1))[:50], "is cut off: it has 50 of the 16,044 bytes"),
        (audio_bytes(noise(30), kind="FLAC")[:-20_000], "decoded as sound|header claims"),
        (audio_bytes(np.append(np.zeros(70_000), np.inf), subtype="FLOAT"), "sample 70,000 is inf"),
        (audio_bytes(np.zeros((9, 20))), "has 20 channels; at most 16"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_said_as_of_whole_files(
    content: bytes, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    for sound in (path, content):
        with pytest.raises(DataError, match=said) as raised:
            together(sound)
        with pytest.raises(DataError) as whole:
            read_sound(sound, "x", sample_rate_hz=RATE)
        assert str(raised.value) == str(whole.value)
    assert capfd.readouterr().err == ""


def test_names_and_lengths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"gone\.wav: does not exist"):
        together(tmp_path / "gone.wav")
    with pytest.raises(DataError, match=r"a\.doc: ends in \.doc; recordings end in"):
        together(tmp_path / "a.doc")
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(DataError, match="is not a regular file"):
        together(tmp_path / "a.wav")
    monkeypatch.setattr("rnnapps.tasks.speech_recognition.data.sound_blocks.LONGEST_SECONDS", 3600 * 0.001)
    with pytest.raises(DataError, match="x: lasts more than"):
        together(noise(4)[:, 0])
