"""A character model of `rnnapps text_generation` as the language model of a recogniser."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from rnnapps.contract.tensor_names import STATE, next_state
from rnnapps.errors import ConfigError
from rnnapps.export.artefact import preprocessing_folder
from rnnapps.export.inference import load_for_inference
from rnnapps.preprocessing.characters import UNKNOWN_ID, CharacterVocabulary
from rnnapps.preprocessing.pieces import FILE_NAME as PIECES_FILE
from rnnapps.tasks.speech_recognition.preprocessing.alphabet import Alphabet
from rnnapps.types import Tensor

__all__ = ["CharacterModel"]

STEP, SCORES = "step", "scores"
BEGINNING = "\n"
"""What was written before a transcript: it begins a line."""


class CharacterModel:
    """A `SymbolModel` whose memory is the states of an exported network and the scores of the next symbols.

    Args:
        export: a version folder, or a folder of versions, of `rnnapps text_generation`.
        alphabet: the recogniser's symbols; the character model must know all of them.

    Attributes:
        loaded: owns the variables; a graph that uses this model is saved with it.

    Raises:
        ConfigError: it does not fit the recogniser.
        ExportError: there is no export, or it is damaged.
        CheckpointError: it is an export of something else.
    """

    def __init__(self, export: str | Path, alphabet: Alphabet) -> None:
        if alphabet.unit != "characters":
            raise ConfigError("decoding.language_model writes characters; this recogniser was trained on words")
        folder = preprocessing_folder(export)
        if (folder / PIECES_FILE).exists():
            told = "was trained with data.tokens words or subwords, and a recogniser writes characters"
            raise ConfigError(f"decoding.language_model {export} {told}; train one with --data.tokens characters")
        vocabulary = CharacterVocabulary.load(folder)
        # The blank, which is never written, lends its id 0 to the beginning.
        self._tokens = vocabulary.encode_all([BEGINNING, *alphabet.symbols]).astype("int32")
        unknown = [
            symbol for symbol, token in zip(alphabet.symbols, self._tokens[1:], strict=True) if token == UNKNOWN_ID
        ]
        if unknown:
            problem = f"decoding.language_model {export} does not know {' '.join(map(repr, unknown))}"
            raise ConfigError(f"{problem}; train it on text like the transcripts: lower case, one to a line")
        self.loaded = load_for_inference(export).loaded
        self._step = self.loaded.signatures[STEP]
        specs = self._step.structured_input_signature[1]
        self._states = {name: spec for name, spec in specs.items() if name.startswith(STATE)}

    def initial(self, rows: Tensor | int) -> dict[str, Tensor]:
        """Memory at the beginning of a transcript."""
        states = {name: tf.zeros([rows, *spec.shape[1:]], spec.dtype) for name, spec in self._states.items()}
        return self.advance(states, tf.zeros([rows], tf.int32))

    def log_probabilities(self, states: dict[str, Tensor]) -> Tensor:
        """float32 `(rows, ids)` of the next symbol; what the character model gives to other characters is lost."""
        return states[SCORES]

    def advance(self, states: dict[str, Tensor], symbols: Tensor) -> dict[str, Tensor]:
        """Memory after symbols int32 `(rows,)`."""
        memory = {name: states[name] for name in self._states}
        tokens = tf.gather(tf.constant(self._tokens), symbols)
        outputs = self._step(tokens=tokens[:, None], lengths=tf.ones_like(tokens), **memory)
        scores = tf.gather(tf.nn.log_softmax(outputs["logits"][:, 0]), tf.constant(self._tokens), axis=1)
        return {SCORES: scores, **{name: outputs[next_state(name)] for name in self._states}}
