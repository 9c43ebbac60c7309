"""Transcribing sound while it is heard: chunks of any size and states in, a partial transcript and states out."""

from __future__ import annotations

import keras
import tensorflow as tf

from rnnapps.kernels.portable_graph import in_portable_graph
from rnnapps.tasks.speech_recognition.decoding.ctc import greedy_symbols
from rnnapps.tasks.speech_recognition.network import read_frames, zero_states
from rnnapps.tasks.speech_recognition.preprocessing.speech_features import SpeechFeatures
from rnnapps.types import NamedTensors, Tensor

__all__ = ["SpeechStream"]


class SpeechStream:
    """A network that reads forwards, applied piece by piece.

    All states are zero (the transcript empty) before the first chunk:

    - `heard` int32 `(batch,)`: samples so far;
    - `tail` float32 `(batch, samples)`: those that the windows and convolutions of outputs to come will read again;
    - `symbol` int32 `(batch,)`: likeliest symbol of the last output;
    - `transcript` string `(batch,)`: what was recognised so far;
    - `0`... `(batch, size)`: of the recurrent layers.

    Args:
        network: what `speech_network` returned, not bidirectional.
        features: front end with stored normalisation, and alphabet.
    """

    def __init__(self, network: keras.Model, features: SpeechFeatures) -> None:
        self.network, self.features = network, features
        self.tail_size = features.samples_read - 1

    def state_signature(self) -> dict[str, tf.TensorSpec]:
        """Shape and type of each state."""
        recurrent = {
            str(number): tf.TensorSpec((None, *state.shape[1:]), state.dtype)
            for number, state in enumerate(zero_states(self.network, 1))
        }
        return {
            "heard": tf.TensorSpec((None,), tf.int32),
            "tail": tf.TensorSpec((None, self.tail_size), tf.float32),
            "symbol": tf.TensorSpec((None,), tf.int32),
            "transcript": tf.TensorSpec((None,), tf.string),
            **recurrent,
        }

    def first_states(self, rows: int) -> dict[str, Tensor]:
        """States before the first chunk."""
        signature = self.state_signature()
        shapes = {name: [rows, *spec.shape[1:]] for name, spec in signature.items()}
        return {
            name: tf.fill(shapes[name], "") if spec.dtype == tf.string else tf.zeros(shapes[name], spec.dtype)
            for name, spec in signature.items()
        }

    def step(self, waveforms: Tensor, lengths: Tensor, last: Tensor, states: NamedTensors) -> dict[str, Tensor]:
        """One chunk.

        Args:
            waveforms: float32 `(batch, samples)` of full scale 1, of any size, also 0.
            lengths: int32 `(batch,)`, samples of each row.
            last: bool `(batch,)`, whether the row's recording ends with this chunk.
            states: as the last step returned them.

        Returns:
            The new states; `logits` `(batch, outputs, symbols)` of this chunk, and `outputs` int32 `(batch,)`, how many
            each row has.
        """
        features, size = self.features, self.tail_size
        hop, window = features.samples_per_output, features.samples_read
        kept = features.head_samples + states["heard"] % hop  # samples of the tail
        added = lengths + tf.where(last, features.tail_samples, 0)
        inside = tf.sequence_mask(lengths, tf.shape(waveforms)[1])
        # Elsewhere silence is fed like sound: a graph that leaves TensorFlow does not compute it with every chunk.
        silence = 0 if in_portable_graph() else features.tail_samples + 1
        chunk = tf.pad(tf.where(inside, waveforms, 0.0), [[0, 0], [0, silence]])
        position = tf.range(size + tf.shape(chunk)[1])[None]
        source = tf.where(position < kept[:, None], position, position - kept[:, None] + size)
        joined = tf.concat([states["tail"], chunk], axis=1)
        buffer = tf.gather(joined, tf.minimum(source, tf.shape(joined)[1] - 1), batch_dims=1)

        total = kept + added
        outputs = tf.maximum((total - window) // hop + 1, 0)
        frames = tf.where(outputs > 0, (outputs - 1) * features.frames_per_output + features.frames_read, 0)
        recurrent = [states[name] for name in self.state_signature() if name.isdigit()]
        spectra = features.normalization.by_training_data(features.log_mel(buffer))
        logits, counts, final = read_frames(self.network, spectra, frames, recurrent)
        if not in_portable_graph():
            logits = logits[:, : tf.reduce_max(counts)]

        rest = outputs[:, None] * hop + tf.range(size)[None]
        tail = tf.gather(buffer, tf.minimum(rest, tf.shape(buffer)[1] - 1), batch_dims=1)
        symbols, numbers, symbol = greedy_symbols(logits, counts, states["symbol"])
        text = tf.strings.join([states["transcript"], features.alphabet.pieces(symbols, numbers)])
        text = tf.strings.regex_replace(tf.strings.regex_replace(text, "^ +", ""), " +", " ")
        return {
            "transcript": text,
            "logits": logits,
            "outputs": counts,
            "heard": states["heard"] + lengths,
            "tail": tf.where(rest < total[:, None], tail, 0.0),
            "symbol": symbol,
            **{str(number): state for number, state in enumerate(final)},
        }
