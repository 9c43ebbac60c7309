"""Characters as the tokens of a text."""

from __future__ import annotations

import tensorflow as tf

from rnnapps.data.text.stored_ids import StoredIds
from rnnapps.preprocessing.characters import UNKNOWN_ID, CharacterVocabulary
from rnnapps.preprocessing.joined_rows import join_rows
from rnnapps.tasks.text_generation.data.stored_text import StoredText
from rnnapps.tasks.text_generation.data.token_kinds import TokenKind
from rnnapps.tasks.text_generation.tokens.vocabulary import Behind, Opened, Texts, begun
from rnnapps.types import Tensor

__all__ = ["Characters"]


class Characters(CharacterVocabulary):
    """A `TextVocabulary` of characters."""

    kind: TokenKind = "characters"
    reserved = (UNKNOWN_ID,)

    @property
    def names(self) -> list[str]:
        """The characters."""
        return ["unknown", *self.characters]

    @property
    def texts(self) -> list[str]:
        """The characters; the unknown one is written as U+FFFD."""
        return ["\ufffd", *self.characters]

    def look_up(self, ids: Tensor) -> Tensor:
        """See `TextVocabulary`."""
        return tf.gather(tf.constant(self.texts), ids)

    def count_characters(self, strings: Tensor) -> Tensor:
        """See `TextVocabulary`."""
        return self.encode(strings)[1]

    @classmethod
    def learned(cls, texts: Texts | StoredText) -> Characters:
        """The characters of texts; ids follow the code points."""
        return cls(cls.fit(_alphabet(texts)).characters)

    def with_more(self, texts: Texts | StoredText) -> Characters:
        """With the new characters of texts behind the known ones."""
        return Characters(self.grow(_alphabet(texts)).characters)

    def encode_stored(self, text: StoredText) -> StoredIds:
        """See `TextVocabulary`: nothing is written, characters are looked up as they are read."""
        return text.encoded(self.table())

    def open(self, prompts: Tensor) -> Opened:
        """See `TextVocabulary`: a prompt never ends within a character."""
        ids, lengths = self.encode(begun(prompts))
        return Opened(ids, lengths, tf.where(tf.equal(prompts, ""), 0, self.count_unknown(ids, lengths)))

    def encode_behind(self, prompts: Tensor, texts: Tensor) -> Behind:
        """See `TextVocabulary`."""
        first, first_lengths = self.encode(begun(prompts))
        second, lengths = self.encode(texts)
        return Behind(join_rows(first, first_lengths, second), first_lengths, lengths)

    def count_unknown_of(self, strings: Tensor) -> Tensor:
        """See `TextVocabulary`."""
        return self.count_unknown(*self.encode(strings))


def _alphabet(texts: Texts | StoredText) -> Texts:
    """What has the same characters as texts."""
    return ["".join(texts.symbols())] if isinstance(texts, StoredText) else texts
