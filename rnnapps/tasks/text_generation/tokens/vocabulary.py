"""What the parts of text generation need to know of tokens, whatever kind they are of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import tensorflow as tf

from rnnapps.data.text.stored_ids import StoredIds
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.data.token_kinds import TokenKind
from rnnapps.types import Array, Tensor

__all__ = ["BEGINNING", "Behind", "Opened", "TextVocabulary", "Texts", "begun", "ids_of"]

Texts: TypeAlias = "tf.data.Dataset | Iterable[str | bytes]"

BEGINNING = "\n"
"""What an empty prompt stands for: the beginning of a line."""


class Opened(NamedTuple):
    """Prompts as a model reads them.

    A prompt may end within a token: "The qui" does. Its last, unfinished word is then left out, and the first token
    that is written is one of those that begin with it.

    Attributes:
        ids: int32 `(batch, time)`, of one token at least.
        lengths: int32 `(batch,)`.
        unknown: characters of each prompt that the vocabulary does not know, int32 `(batch,)`.
        allowed: bool `(batch, vocabulary)`, what may be written first; None where that is all that may be written.
        given: int32 `(batch,)`, how many characters of the first token written are the prompt's; None for none.
    """

    ids: Tensor
    lengths: Tensor
    unknown: Tensor
    allowed: Tensor | None = None
    given: Tensor | None = None


class Behind(NamedTuple):
    """Texts behind prompts.

    Attributes:
        ids: int32 `(batch, time)` of both.
        begins: int32 `(batch,)`, the first token of the text, at least 1. A token that begins in the prompt and ends in
            the text is the text's.
        lengths: int32 `(batch,)`, tokens of the text.
    """

    ids: Tensor
    begins: Tensor
    lengths: Tensor


class TextVocabulary(Protocol):
    """Texts to ids and back; what takes tensors works in a graph, with operations that any server has.

    Decoding what was encoded gives the text again, but for U+FFFD in the place of each unknown character.
    """

    @property
    def kind(self) -> TokenKind:
        """What a token is."""

    @property
    def size(self) -> int:
        """Number of ids."""

    @property
    def names(self) -> list[str]:
        """What each id is called."""

    @property
    def reserved(self) -> tuple[int, ...]:
        """Ids that are never written: what is unknown, and what stands for no text."""

    @property
    def texts(self) -> list[str]:
        """What each id is written as."""

    def encode(self, strings: Tensor) -> tuple[Tensor, Tensor]:
        """Strings `(batch,)` -> ids int32 `(batch, time)`, 0 behind each end, and lengths int32 `(batch,)`."""

    def decode(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Ids `(batch, time)` and lengths `(batch,)` -> strings `(batch,)`."""

    def look_up(self, ids: Tensor) -> Tensor:
        """What each of the ids, of any shape, is written as."""

    def count_characters(self, strings: Tensor) -> Tensor:
        """How many characters strings `(batch,)` have, int32 `(batch,)`."""

    def encode_all(self, texts: Texts) -> Array:
        """The ids of texts behind one another `(tokens,)`."""

    def encode_stored(self, text: StoredText) -> StoredIds:
        """The ids of a text on disk `(tokens,)`: those of `encode_all`."""

    def open(self, prompts: Tensor) -> Opened:
        """Prompts, strings `(batch,)`, as they are read; an empty one is the beginning of a line."""

    def encode_behind(self, prompts: Tensor, texts: Tensor) -> Behind:
        """Texts behind prompts, strings `(batch,)` each; an empty prompt is the beginning of a line."""

    def count_unknown_of(self, strings: Tensor) -> Tensor:
        """How many characters of strings `(batch,)` are unknown, int32 `(batch,)`."""

    def unknown_characters(self, text: str) -> dict[str, int]:
        """The unknown characters of a text with their numbers, in the order of their first occurrence."""

    def save(self, folder: str | Path) -> None:
        """Writes a file; raises CheckpointError."""


def ids_of(vocabulary: TextVocabulary, texts: Texts | StoredText) -> Array | StoredIds:
    """The ids of texts `(tokens,)`, in memory or on disk as these are."""
    return vocabulary.encode_stored(texts) if isinstance(texts, StoredText) else vocabulary.encode_all(texts)


def begun(prompts: Tensor) -> Tensor:
    """Prompts, strings `(batch,)`; an empty one is the beginning of a line."""
    return tf.where(tf.equal(prompts, ""), BEGINNING, prompts)
