"""WAV files to waveforms of one rate with TensorFlow core ops."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.tasks.speech_recognition.preprocessing.resampling import resample
from rnnapps.types import Tensor

__all__ = ["decode_wavs"]


def decode_wavs(contents: Tensor, sample_rate_hz: int) -> tuple[Tensor, Tensor]:
    """Decodes WAV files, averages their channels and converts their rates.

    `tf.audio.decode_wav` reads PCM of 16 bits; whatever else the files hold is an error of the request.

    Args:
        contents: string `(batch,)`, whole files.
        sample_rate_hz: rate of the result.

    Returns:
        Waveforms float32 `(batch, samples)` of full scale 1, 0 behind a row's end, and lengths int32 `(batch,)`.
    """
    rows = tf.size(contents)
    waveforms = tf.TensorArray(tf.float32, rows, infer_shape=False, element_shape=[None])
    lengths = tf.TensorArray(tf.int32, rows, element_shape=[])

    def body(
        row: Tensor, waveforms: tf.TensorArray, lengths: tf.TensorArray
    ) -> tuple[Tensor, tf.TensorArray, tf.TensorArray]:
        channels, rate = tf.audio.decode_wav(contents[row])
        samples = resample(tf.reduce_mean(channels, axis=1), rate, sample_rate_hz)
        return row + 1, waveforms.write(row, samples), lengths.write(row, tf.size(samples))

    _, waveforms, lengths = tf.while_loop(
        lambda row, *_: row < rows, body, [tf.constant(0), waveforms, lengths], parallel_iterations=4
    )
    sizes = lengths.stack()
    return tf.RaggedTensor.from_row_lengths(waveforms.concat(), sizes, validate=False).to_tensor(0.0), sizes
