"""The sound of m4a, AAC, WebM, AMR and videos is read like that of WAV files, by a process of its own."""

from __future__ import annotations

import gzip
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from rnnapps.data import archives
from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data import audio
from rnnapps.tasks.speech_recognition.data.audio import parse_audio, read_audio
from rnnapps.tasks.speech_recognition.data.sound_track import has_track
from tests.tasks.speech_recognition.recordings import audio_bytes, mutate
from tests.tasks.speech_recognition.tracks import KINDS, tone, write_mute, write_track


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tracks")
    for name, (codec, rate, channels) in KINDS.items():
        write_track(folder / name, codec, rate, channels)
    return folder


@pytest.mark.parametrize("name", KINDS)
def test_sound_of_any_container(name: str, tracks: Path) -> None:
    heard = read_audio(tracks / name, sample_rate_hz=16_000)
    assert heard.dtype == np.float32 and 15_500 <= len(heard) <= 18_000
    middle = heard[4_000:12_000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(np.argmax(spectrum) * 2.0 - 440) < 3
    loud = 0.4 / KINDS[name][2]  # channels are averaged, and the second is silent
    assert 0.85 * loud < np.sqrt(2 * np.mean(middle**2)) < 1.15 * loud
    assert has_track((tracks / name).read_bytes()[:64])


def test_a_lossless_track_is_exact(tracks: Path) -> None:
    heard = read_audio(tracks / "a.mov", sample_rate_hz=16_000)
    np.testing.assert_allclose(heard, tone(16_000) / 2, atol=1e-5)


def test_bytes_wrong_names_and_compressed_ones(tracks: Path, tmp_path: Path) -> None:
    whole = read_audio(tracks / "a.m4a", sample_rate_hz=8_000)
    content = (tracks / "a.m4a").read_bytes()
    np.testing.assert_array_equal(parse_audio(content, "x", sample_rate_hz=8_000), whole)
    shutil.copy(tracks / "a.m4a", tmp_path / "a.wav")
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav", sample_rate_hz=8_000), whole)
    (tmp_path / "b.m4a").write_bytes(audio_bytes(tone(8_000), rate=8_000))
    np.testing.assert_allclose(read_audio(tmp_path / "b.m4a", sample_rate_hz=8_000), tone(8_000), atol=1e-4)
    (tmp_path / "c.m4a.gz").write_bytes(gzip.compress(content))
    np.testing.assert_array_equal(read_audio(tmp_path / "c.m4a.gz", sample_rate_hz=8_000), whole)


def test_compressed_recordings_that_need_no_process_are_not_unpacked_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.wav.gz").write_bytes(gzip.compress(audio_bytes(tone(8_000), rate=8_000)))
    monkeypatch.setattr(archives, "MOST_BYTES", 0)
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav.gz", sample_rate_hz=8_000), tone(8_000), atol=1e-4)
    (tmp_path / "b.wav.gz").write_bytes((tmp_path / "a.wav.gz").read_bytes()[:500])
    with pytest.raises(DataError, match=r"b\.wav\.gz: cannot be unpacked \(\.gz\)"):
        read_audio(tmp_path / "b.wav.gz", sample_rate_hz=8_000)


def test_what_has_no_sound_is_said_in_one_line(tracks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mute = write_mute(tmp_path / "mute.mkv")
    cut = tmp_path / "cut.m4a"
    cut.write_bytes((tracks / "a.m4a").read_bytes()[:900])
    (tmp_path / "page.m4a").write_bytes(b"<!DOCTYPE html><p>404")
    (tmp_path / "empty.m4a").touch()
    (tmp_path / "list.mp4").write_bytes(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    for path, said in {
        mute: "holds a picture but no sound; leave it out",
        cut: "cannot be decoded",
        tmp_path / "page.m4a": "is a web page, and no sound",
        tmp_path / "empty.m4a": "is empty: it has 0 bytes",
        tmp_path / "none.m4a": "does not exist",
        tmp_path / "list.mp4": "is plain text, and no sound",
    }.items():
        with pytest.raises(DataError, match=said) as raised:
            read_audio(path, sample_rate_hz=8_000)
        assert str(raised.value).startswith(f"{path}: ") and "\n" not in str(raised.value)
    monkeypatch.setattr(audio, "MAXIMUM_SAMPLES", 1_000)
    with pytest.raises(DataError, match="has more than 1,000 samples; split it"):
        read_audio(tracks / "a.m4a", sample_rate_hz=8_000)


def fuzz(tracks: Path, folder: Path, count: int, seed: int) -> tuple[int, int]:
    """Returns (valid, refused) of mutated files; anything but samples or a DataError of one line fails."""
    draw, valid = random.Random(seed), 0
    whole = {name: (tracks / name).read_bytes() for name in KINDS}
    for number in range(count):
        name = draw.choice(sorted(whole))
        path = folder / name
        path.write_bytes(mutate(whole[name], draw))
        try:
            samples = read_audio(path, sample_rate_hz=8_000)
        except DataError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error), number
            continue
        valid += 1
        assert samples.dtype == np.float32 and samples.ndim == 1 and np.isfinite(samples).all(), number
    return valid, count - valid


def test_mutated_files_are_sound_or_clear_errors(tracks: Path, tmp_path: Path) -> None:
    valid, refused = fuzz(tracks, tmp_path, 40, seed=1)
    assert valid > 4 and refused > 4


@pytest.mark.slow
def test_thousands_of_mutated_files_are_sound_or_clear_errors(tracks: Path, tmp_path: Path) -> None:
    valid, refused = fuzz(tracks, tmp_path, 1500, seed=2)
    assert valid > 150 and refused > 150
