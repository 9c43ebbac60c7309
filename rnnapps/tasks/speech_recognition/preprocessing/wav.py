"""WAV files to waveforms of one rate with TensorFlow core ops, each file by itself."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.preprocessing.raw_bytes import bytes_at, little_endian
from rnnapps.tasks.speech_recognition.data.audio import STREAMED_BYTES
from rnnapps.tasks.speech_recognition.preprocessing.resampling import is_convertible, resample
from rnnapps.types import Tensor

__all__ = ["LARGEST_BYTES", "decode_wavs", "wav_problems"]

LARGEST_BYTES = 1 << 24
MOST_CHANNELS, MOST_CHUNKS = 16, 64
SAMPLE_BYTES = 2
FORMAT_BYTES = 16


class _Headers(NamedTuple):
    """What files say of themselves, each an int64 `(batch,)`, 0 where nothing is said.

    Attributes:
        tag: its encoding, 1 for PCM.
        channels: how many sounds there are side by side.
        rate: samples of each channel in a second.
        block: bytes of a sample of all channels.
        bits: of one sample.
        start: place of the first sample, 0 where none is found.
        claimed: bytes of samples by the header.
        held: bytes behind `start`.
    """

    tag: Tensor
    channels: Tensor
    rate: Tensor
    block: Tensor
    bits: Tensor
    start: Tensor
    claimed: Tensor
    held: Tensor

    @property
    def frames(self) -> Tensor:
        """Samples of each channel that there are."""
        return tf.minimum(self.claimed, self.held) // tf.maximum(self.block, 1)


def wav_problems(sample_rate_hz: int, longest_seconds: float) -> tuple[str, ...]:
    """What `decode_wavs` may say of a file, by its number; 0 is nothing."""
    return (
        "",
        f"has more than {LARGEST_BYTES:,} bytes",
        "is no WAV file with a format and samples",
        f"is not 16-bit PCM of 1 to {MOST_CHANNELS} channels; convert it, or send the waveform",
        "holds no samples",
        f"has a sample rate that cannot be converted to {sample_rate_hz:,} Hz; resample it",
        f"lasts more than {longest_seconds:g} s",
        "is cut off: it holds less than its header claims",
    )


def decode_wavs(contents: Tensor, sample_rate_hz: int, *, longest_seconds: float) -> tuple[Tensor, Tensor, Tensor]:
    """Decodes WAV files of 16-bit PCM, averages their channels and converts their rates.

    Headers are read first, and nothing is decoded that breaks a limit. Sizes that a program wrote into a pipe before it
    knew them (0, 0xFFFFFFFF, 0x7FFFF000...) mean all that follows.

    Args:
        contents: string `(batch,)`, whole files, one at least.
        sample_rate_hz: rate of the result.
        longest_seconds: the longest file that is decoded.

    Returns:
        Waveforms float32 `(batch, samples)` of full scale 1, 0 behind a row's end; lengths int32 `(batch,)`, 0 for
        files with a problem; and the problem of each, string `(batch,)`, as `wav_problems` has them.
    """
    headers = _read_headers(contents)
    problems = _find_problems(contents, headers, sample_rate_hz, longest_seconds)
    # Of a file with a problem nothing is decoded.
    counts = tf.cast(tf.where(tf.equal(problems, 0), headers.frames * headers.block, 0), tf.int32)
    parts = tf.strings.substr(contents, tf.where(counts > 0, tf.cast(headers.start, tf.int32), 0), counts)
    channels, rates = tf.cast(tf.maximum(headers.channels, 1), tf.int32), tf.cast(headers.rate, tf.int32)
    rows = tf.size(contents)
    waveforms = tf.TensorArray(tf.float32, rows, infer_shape=False, element_shape=[None])
    lengths = tf.TensorArray(tf.int32, rows, element_shape=[])

    def body(
        row: Tensor, waveforms: tf.TensorArray, lengths: tf.TensorArray
    ) -> tuple[Tensor, tf.TensorArray, tf.TensorArray]:
        values = tf.reshape(tf.io.decode_raw(parts[row], tf.int16), [-1, channels[row]])
        mono = tf.reduce_mean(tf.cast(values, tf.float32) / (tf.int16.max + 1), axis=1)
        rate = tf.where(counts[row] > 0, rates[row], sample_rate_hz)
        samples = resample(mono, rate, sample_rate_hz)
        return row + 1, waveforms.write(row, samples), lengths.write(row, tf.size(samples))

    _, waveforms, lengths = tf.while_loop(
        lambda row, *_: row < rows, body, [tf.constant(0), waveforms, lengths], parallel_iterations=4
    )
    sizes = lengths.stack()
    padded = tf.RaggedTensor.from_row_lengths(waveforms.concat(), sizes, validate=False).to_tensor(0.0)
    return padded, sizes, tf.gather(tf.constant(wav_problems(sample_rate_hz, longest_seconds)), problems)


class _Search(NamedTuple):
    """Where a walk over the chunks of files stands, each `(batch,)`.

    Attributes:
        place: of the next chunk.
        form: of the format, 0 where none was found.
        start: of the samples, 0 where none were found.
        claimed: bytes of samples by the header.
    """

    place: Tensor
    form: Tensor
    start: Tensor
    claimed: Tensor


def _read_headers(contents: Tensor) -> _Headers:
    """Walks over the chunks of files `(batch,)`, all at once, to their formats and their samples."""
    sizes = tf.strings.length(contents)
    head = bytes_at(contents, tf.zeros_like(sizes), 12)
    riff = tf.equal(little_endian(head[:, :4]), _name("RIFF")) & tf.equal(little_endian(head[:, 8:]), _name("WAVE"))

    def going(search: _Search) -> Tensor:
        return tf.equal(search.start, 0) & (search.place + 8 <= sizes)

    def body(count: Tensor, search: _Search) -> tuple[Tensor, _Search]:
        return count + 1, _chunk_further(contents, sizes, search, going(search))

    zero = tf.zeros_like(sizes)
    begin = _Search(tf.where(riff, 12, sizes), zero, zero, tf.zeros_like(sizes, tf.int64))
    found = tf.while_loop(
        lambda count, search: (count < MOST_CHUNKS) & tf.reduce_any(going(search)), body, (tf.constant(0), begin)
    )[1]
    form = found.form
    said = tf.where(form[:, None] > 0, bytes_at(contents, form, FORMAT_BYTES), 0)
    start = tf.where(form > 0, found.start, 0)
    held = tf.cast(sizes - start, tf.int64)
    unknown = tf.equal(little_endian(head[:, 4:8]), 0) & tf.equal(found.claimed, 0)
    return _Headers(
        tag=little_endian(said[:, :2]),
        channels=little_endian(said[:, 2:4]),
        rate=little_endian(said[:, 4:8]),
        block=little_endian(said[:, 12:14]),
        bits=little_endian(said[:, 14:]),
        start=tf.cast(start, tf.int64),
        claimed=tf.where(unknown, held, found.claimed),
        held=held,
    )


def _chunk_further(contents: Tensor, sizes: Tensor, search: _Search, going: Tensor) -> _Search:
    """One chunk further in the files that are `going`."""
    place = search.place
    chunk = bytes_at(contents, place, 8)
    kind, length = little_endian(chunk[:, :4]), little_endian(chunk[:, 4:])
    samples = going & tf.equal(kind, _name("data"))
    form = going & tf.equal(kind, _name("fmt ")) & (length >= FORMAT_BYTES)
    # No chunk is longer than the file, so that places stay within int32.
    behind = place + 8 + tf.cast(tf.minimum(length + length % 2, tf.cast(sizes, tf.int64)), tf.int32)
    return _Search(
        tf.where(going, behind, place),
        tf.where(form, place + 8, search.form),
        tf.where(samples, place + 8, search.start),
        tf.where(samples, length, search.claimed),
    )


def _find_problems(contents: Tensor, headers: _Headers, sample_rate_hz: int, longest_seconds: float) -> Tensor:
    """Places in `wav_problems`, int32 `(batch,)`."""
    pcm = tf.equal(headers.tag, 1) & tf.equal(headers.bits, 8 * SAMPLE_BYTES)
    pcm &= tf.equal(headers.block, SAMPLE_BYTES * headers.channels)
    pcm &= (headers.channels >= 1) & (headers.channels <= MOST_CHANNELS)
    rates = tf.cast(tf.minimum(headers.rate, tf.int32.max), tf.int32)
    seconds = tf.cast(headers.frames, tf.float64) / tf.cast(tf.maximum(headers.rate, 1), tf.float64)
    rules = (
        tf.strings.length(contents) > LARGEST_BYTES,
        tf.equal(headers.start, 0),
        ~pcm,
        tf.equal(headers.frames, 0),
        ~is_convertible(rates, sample_rate_hz),
        seconds > longest_seconds,
        (headers.claimed < STREAMED_BYTES) & (headers.claimed > headers.held + 1),
    )
    # Of several problems the first is told.
    broken = tf.stack([tf.zeros_like(pcm), *rules])
    return tf.argmax(tf.cast(broken, tf.int32), axis=0, output_type=tf.int32)


def _name(chunk: str) -> int:
    return int.from_bytes(chunk.encode(), "little")
