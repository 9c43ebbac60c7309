from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnapps.errors import DataError
from rnnapps.tasks.speech_recognition.data import audio
from rnnapps.tasks.speech_recognition.data.audio import parse_audio, read_audio, resampled
from tests.tasks.speech_recognition.recordings import audio_bytes, mutate, say

KINDS = {"WAV": None, "FLAC": None, "OGG": "VORBIS", "MP3": None}


def tone(rate: int, seconds: float = 0.5) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 44_100])
def test_any_kind_rate_and_number_of_channels(kind: str, channels: int, rate: int) -> None:
    sound = np.stack([tone(rate)] * channels, axis=1)
    found = parse_audio(audio_bytes(sound, rate=rate, kind=kind, subtype=KINDS[kind]), "x", sample_rate_hz=16_000)
    assert found.dtype == np.float32 and abs(len(found) - 8000) < 3000  # MP3 adds silence at both ends
    expected = np.abs(np.fft.rfft(tone(16_000)))[:4000].argmax() * 2
    spectrum = np.abs(np.fft.rfft(found, 16_000))
    assert abs(int(spectrum.argmax()) - expected) <= 2
    assert 0.4 < np.abs(found).max() < 0.6


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_every_encoding_of_wav(subtype: str) -> None:
    found = parse_audio(audio_bytes(tone(8000), subtype=subtype), "x", sample_rate_hz=8000)
    np.testing.assert_allclose(found, tone(8000), atol=0.02)


def test_channels_are_averaged_and_silence_stays() -> None:
    both = np.stack([tone(8000), -tone(8000)], axis=1)
    assert not parse_audio(audio_bytes(both, subtype="FLOAT"), "x", sample_rate_hz=8000).any()
    assert not parse_audio(audio_bytes(np.zeros(100)), "x", sample_rate_hz=16_000).any()


def test_resampling_has_the_limit_of_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "MAXIMUM_SAMPLES", 1000)
    with pytest.raises(DataError, match="more than 1,000 samples at 48,000 Hz"):
        resampled(tone(8000, 0.1), 8000, 48_000, "x")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty: it has 0 bytes"),
        (audio_bytes(np.zeros(0)), "holds no samples"),
        (b"RIFF" + bytes(40), "cannot be decoded as sound"),
        (b"hello, this is no sound at all" * 9, "is plain text, and no sound"),
        (b"%PDF-1.7 and more", "is a PDF document, and no sound"),
        (b"<!DOCTYPE html><p>404", "is a web page, and no sound"),
        (audio_bytes(np.full(9, np.nan), subtype="FLOAT"), "sample 0 is nan; full scale is 1"),
        (audio_bytes(np.array([0.1, 1e30]), subtype="FLOAT"), "sample 1 is 1e"),
        (audio_bytes(tone(8000), rate=500), "has 500 samples a second"),
        (audio_bytes(np.zeros((9, 20))), "has 20 channels; at most 16"),
        (audio_bytes(tone(8000), kind="FLAC")[:-900], "x.wav: "),
        (audio_bytes(tone(8000))[:50], "is cut off: it has 50 of the 8,044 bytes its header claims"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # floating-point files hold the time they were written
)
def test_what_is_wrong_is_said_in_one_line(content: bytes, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as raised:
        parse_audio(content, "x.wav", sample_rate_hz=8000)
    assert str(raised.value).startswith("x.wav: ") and "\n" not in str(raised.value)


def test_files_that_claim_more_than_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    flac = bytearray(audio_bytes(tone(8000), kind="FLAC"))
    flac[21] |= 0x0F  # the upper bits of the 36-bit number of samples
    flac[22:26] = b"\xff\xff\xff\xff"
    with pytest.raises(DataError, match=r"claims [\d,]+ samples; at most 100,000,000"):
        parse_audio(bytes(flac), "x.flac", sample_rate_hz=8000)
    monkeypatch.setattr(audio, "MAXIMUM_SAMPLES", 1000)
    with pytest.raises(DataError, match="claims 4,000 samples; at most 1,000"):
        parse_audio(audio_bytes(tone(8000)), "x.wav", sample_rate_hz=8000)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(audio_bytes(tone(8000)))
    assert len(read_audio(path, sample_rate_hz=8000)) == 4000
    for name, complaint in (
        ("b.wav", "does not exist"),
        ("c.mid", "ends in .mid; recordings end in"),
        ("d", "nothing"),
    ):
        with pytest.raises(DataError, match=complaint):
            read_audio(tmp_path / name, sample_rate_hz=8000)


def fuzz(count: int, seed: int, seconds: list[float] | None = None) -> tuple[int, int]:
    """Returns (valid, refused) of mutated files; appends the processor time of each to `seconds`."""
    draw, valid = random.Random(seed), 0
    sound = say("lo hi mid", seed=seed)
    stereo = np.stack([sound, sound], axis=1)
    originals = [
        audio_bytes(each, rate=rate, kind=kind, subtype=subtype)
        for kind, subtype in [*KINDS.items(), ("WAV", "FLOAT"), ("WAV", "ULAW"), ("FLAC", "PCM_24")]
        for each, rate in ((sound, 8000), (stereo, 44_100))
    ]
    for _ in range(count):
        begun = time.process_time()
        valid += _sound_or_complaint(mutate(draw.choice(originals), draw))
        if seconds is not None:
            seconds.append(time.process_time() - begun)
    return valid, count - valid


def _sound_or_complaint(content: bytes) -> bool:
    """Whether the bytes are sound; anything but samples or a DataError of one line fails."""
    try:
        samples = parse_audio(content, "mutated.wav", sample_rate_hz=8000)
    except DataError as error:
        assert str(error).startswith("mutated.wav: ") and "\n" not in str(error), content
        return False
    assert samples.dtype == np.float32 and samples.ndim == 1 and np.isfinite(samples).all(), content
    return True


def test_mutated_files_are_sound_or_clear_errors() -> None:
    valid, refused = fuzz(60, seed=1)
    assert valid > 5 and refused > 5  # both kinds of file are met


@settings(max_examples=100)
@given(st.sampled_from([b"", b"RIFF", b"fLaC", b"OggS", b"ID3", b"\xff\xfb"]), st.binary(max_size=300))
def test_arbitrary_bytes_are_sound_or_clear_errors(magic: bytes, content: bytes) -> None:
    _sound_or_complaint(magic + content)


@pytest.mark.slow
def test_thousands_of_mutated_files_and_the_largest_cost_little_memory_and_time() -> None:
    code = "from tests.tasks.speech_recognition import test_audio; test_audio.measure()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    found = json.loads(done.stdout)
    assert found["files"] >= 4500 and found["valid"] > 200 and found["refused"] > 200
    assert found["slowest_mutated_seconds"] < 2 and found["largest_samples"] == audio.MAXIMUM_SAMPLES
    assert found["peak_mebibytes"] < 2048


def measure() -> None:
    """Prints what reading mutated files, arbitrary bytes and the largest recordings allowed costs this process."""
    draw, seconds, begun = random.Random(3), [], time.process_time()
    valid, refused = fuzz(2500, seed=2, seconds=seconds)
    for _ in range(2000):
        _sound_or_complaint(draw.choice((b"RIFF", b"fLaC", b"OggS", b"ID3")) + draw.randbytes(draw.randrange(400)))
    silence = np.zeros(audio.MAXIMUM_SAMPLES, np.int16)
    small = audio_bytes(silence, rate=16_000, kind="FLAC")  # 0.3 MB
    large = audio_bytes(silence[: len(silence) // 2], rate=8000)  # 100 MB, doubled by resampling
    del silence
    largest = len(parse_audio(small, "x", sample_rate_hz=16_000))
    parse_audio(large, "x", sample_rate_hz=16_000)
    found = {
        "files": valid + refused + 2000,
        "valid": valid,
        "refused": refused,
        "slowest_mutated_seconds": max(seconds),
        "largest_samples": largest,
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "processor_seconds": time.process_time() - begun,
    }
    print(json.dumps(found))
