from __future__ import annotations

import random
import resource
from pathlib import Path

import numpy as np
import pytest

from rnnapps.data.speech import audio
from rnnapps.data.speech.audio import parse_audio, read_audio, resampled
from rnnapps.errors import DataError
from tests.data.speech.recordings import audio_bytes, say

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
    assert parse_audio(audio_bytes(np.zeros(0)), "x", sample_rate_hz=16_000).shape == (0,)


def test_resampling_has_the_limit_of_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "MAXIMUM_SAMPLES", 1000)
    with pytest.raises(DataError, match="more than 1,000 samples at 48,000 Hz"):
        resampled(tone(8000, 0.1), 8000, 48_000, "x")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty: it has 0 bytes"),
        (b"RIFF" + bytes(40), "cannot be decoded as WAV, FLAC, Ogg or MP3"),
        (b"hello, this is no sound at all" * 9, "cannot be decoded"),
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
        ("c.m4a", "ends in .m4a; recordings end in"),
        ("d", "nothing"),
    ):
        with pytest.raises(DataError, match=complaint):
            read_audio(tmp_path / name, sample_rate_hz=8000)


def mutate(content: bytes, draw: random.Random) -> bytes:
    """A damaged copy: bytes changed, cut out, put in or doubled; half of the time in the header."""
    damaged = bytearray(content)
    for _ in range(draw.randint(1, 6)):
        place = draw.randrange(min(len(damaged), 200) if draw.random() < 0.5 else len(damaged))
        kind = draw.randrange(5)
        if kind == 0:
            damaged[place : place + 1] = bytes((draw.randrange(256),))
        elif kind == 1:
            del damaged[place : place + draw.randint(1, 40)]
        elif kind == 2:
            damaged[place:place] = draw.randbytes(draw.randint(1, 20))
        elif kind == 3:
            damaged[place:place] = damaged[place : place + draw.randint(1, 200)]
        else:
            damaged[place : place + 4] = draw.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)))
        damaged = damaged or bytearray(b"R")
    return bytes(damaged[: draw.randrange(len(damaged))] if draw.random() < 0.1 else damaged)


def fuzz(count: int, seed: int) -> tuple[int, int]:
    """Returns (valid, refused) of mutated files; anything but samples or a DataError of one line fails."""
    draw, valid = random.Random(seed), 0
    sound = say("lo hi mid", seed=seed)
    stereo = np.stack([sound, sound], axis=1)
    originals = [
        audio_bytes(each, rate=rate, kind=kind, subtype=subtype)
        for kind, subtype in [*KINDS.items(), ("WAV", "FLOAT"), ("WAV", "ULAW"), ("FLAC", "PCM_24")]
        for each, rate in ((sound, 8000), (stereo, 44_100))
    ]
    for number in range(count):
        try:
            samples = parse_audio(mutate(draw.choice(originals), draw), "mutated.wav", sample_rate_hz=8000)
        except DataError as error:
            assert str(error).startswith("mutated.wav: ") and "\n" not in str(error), number
            continue
        valid += 1
        assert samples.dtype == np.float32 and samples.ndim == 1 and np.isfinite(samples).all()
    return valid, count - valid


def test_mutated_files_are_sound_or_clear_errors() -> None:
    valid, refused = fuzz(60, seed=1)
    assert valid > 5 and refused > 5  # both kinds of file are met


@pytest.mark.slow
def test_thousands_of_mutated_files_are_sound_or_clear_errors_in_little_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    valid, refused = fuzz(2500, seed=2)
    assert valid > 200 and refused > 200
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2 << 20  # KiB
