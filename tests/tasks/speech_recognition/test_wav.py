from __future__ import annotations

import io
import random

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from rnnapps.tasks.speech_recognition.data.audio import parse_audio
from rnnapps.tasks.speech_recognition.preprocessing.wav import LARGEST_BYTES, decode_wavs
from tests.tasks.speech_recognition.recordings import mutate


def wav(samples: np.ndarray, rate: int, subtype: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


SOUND = np.round(np.random.default_rng(0).uniform(-0.5, 0.5, 50) * 32768) / 32768


def decode(files: list[bytes], rate: int = 8000, seconds: float = 60.0) -> tuple[np.ndarray, list[int], list[str]]:
    waveforms, lengths, problems = decode_wavs(tf.constant(files, tf.string), rate, longest_seconds=seconds)
    return waveforms.numpy(), lengths.numpy().tolist(), [problem.decode() for problem in problems.numpy()]


def resized(content: bytes, *, riff: int, data: int) -> bytes:
    """A file of one channel whose header claims other sizes."""
    return content[:4] + riff.to_bytes(4, "little") + content[8:40] + data.to_bytes(4, "little") + content[44:]


def test_files_of_any_length_channels_and_rate() -> None:
    files = [wav(SOUND, 8000), wav(np.stack([SOUND, -SOUND], 1), 8000), wav(SOUND, 16_000)]
    waveforms, lengths, problems = decode(files)
    assert lengths == [50, 50, 25] and problems == ["", "", ""]
    np.testing.assert_array_equal(waveforms[0], SOUND.astype(np.float32))
    assert not waveforms[1].any() and not waveforms[2, 25:].any()


def test_chunks_before_the_samples_are_skipped() -> None:
    content = wav(SOUND, 8000)
    odd = (
        content[:12]
        + b"LIST"
        + (3).to_bytes(4, "little")
        + b"abc\0"
        + content[12:36]
        + b"junk"
        + bytes(4)
        + content[36:]
    )
    waveforms, lengths, problems = decode([odd, content + b"LIST" + bytes(4)])
    assert lengths == [50, 50] and problems == ["", ""]
    np.testing.assert_array_equal(waveforms[0], waveforms[1])


@pytest.mark.parametrize(("riff", "data"), [(2**32 - 1, 2**32 - 1), (0x7FFF_F024, 0x7FFF_F000), (0, 0)])
def test_sizes_of_a_stream_mean_all_that_follows(riff: int, data: int) -> None:
    streamed = resized(wav(SOUND, 8000), riff=riff, data=data)
    waveforms, lengths, problems = decode([streamed])
    assert lengths == [50] and problems == [""]
    np.testing.assert_array_equal(waveforms[0], SOUND.astype(np.float32))
    np.testing.assert_array_equal(parse_audio(streamed, "x.wav", sample_rate_hz=8000), SOUND.astype(np.float32))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no WAV file with a format and samples"),
        (b"RIFF", "is no WAV file with a format and samples"),
        (b"no sound at all" * 99, "is no WAV file with a format and samples"),
        (wav(SOUND, 8000)[:36], "is no WAV file with a format and samples"),
        (wav(np.zeros(0), 8000), "holds no samples"),
        (wav(np.zeros(10), 8000, "PCM_U8"), "is not 16-bit PCM"),
        (wav(np.zeros(10), 8000, "PCM_24"), "is not 16-bit PCM"),
        (wav(np.zeros(10), 8000, "FLOAT"), "is not 16-bit PCM"),
        (wav(np.zeros((9, 17)), 8000), "is not 16-bit PCM of 1 to 16 channels"),
        (wav(np.zeros(1001), 1000), "lasts more than 1 s"),
        (wav(np.zeros(10), 8001), "has a sample rate that cannot be converted to 8,000 Hz"),
        (wav(np.zeros(10), 500), "has a sample rate that cannot be converted"),
        (wav(SOUND, 8000)[:90], "is cut off"),
        (bytes(LARGEST_BYTES + 1), "has more than 16,777,216 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_file_alone_has_the_problem(content: bytes, said: str) -> None:
    good = wav(SOUND, 8000)
    waveforms, lengths, problems = decode([good, content, good], seconds=1.0)
    assert lengths == [50, 0, 50] and problems[0] == problems[2] == "" and problems[1].startswith(said)
    np.testing.assert_array_equal(waveforms[[0, 2]], [SOUND.astype(np.float32)] * 2)
    assert not waveforms[1].any()


@pytest.mark.slow
def test_thousands_of_mutated_files_are_waveforms_or_problems() -> None:
    signature = [tf.TensorSpec((None,), tf.string)]
    run = tf.function(
        lambda contents: decode_wavs(contents, 16_000, longest_seconds=60.0), input_signature=signature, autograph=False
    )
    sound = np.sin(np.arange(3000) * 0.3) * 0.5
    originals, draw, valid = [wav(sound, 8000), wav(np.stack([sound, sound], 1), 44_100)], random.Random(0), 0
    for _ in range(2000):
        waveforms, lengths, problems = run(tf.constant([mutate(draw.choice(originals), draw)]))
        assert np.isfinite(waveforms.numpy()).all() and waveforms.shape[1] == int(lengths[0])
        assert (problems.numpy()[0] == b"") == (int(lengths[0]) > 0)
        valid += int(lengths[0]) > 0
    assert 200 < valid < 1900
