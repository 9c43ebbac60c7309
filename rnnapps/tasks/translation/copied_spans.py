"""What a translation takes over as it is (addresses, placeholders, tags, numbers), hidden from the network in graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self, get_args

import tensorflow as tf

from rnnapps.errors import CheckpointError
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.tasks.translation.data.config import CopiedKind
from rnnapps.types import Tensor

__all__ = ["SYMBOLS", "CopiedSpans", "Masked", "matched"]

SYMBOLS = "".join(chr(0xF0000 + number) for number in range(20))
"""Private characters that stand for the spans of a sentence, by number."""
FILE_NAME = "copies.json"

_MARK = "\x01"
_ADDRESS = r"[^\s<>\"\x01]*[^\s<>\"\x01'.,;:!?)\]}]"
_NAME = r"[\pL\pN_%+-]"
PATTERNS: dict[CopiedKind | Literal["symbols"], str] = {
    # Whoever writes these characters gets them back.
    "symbols": f"[{SYMBOLS}]",
    "urls": rf"(?:https?|ftp|file)://{_ADDRESS}|www\.{_ADDRESS}",
    "emails": rf"{_NAME}+(?:\.{_NAME}+)*@[\pL\pN-]+(?:\.[\pL\pN-]+)+",
    # A conversion such as %s or %1$d ends with its letter: "20%ige" has none.
    "placeholders": r"\$?\{\{?[^{}\s\x01]{0,60}\}\}?|"
    r"%(?:\d+\$)?(?:\(\w+\))?[-+#0]*\d*(?:\.\d+)?l{0,2}(?:[sdifuxXeEgGc]\b|@)",
    "tags": r"</?[A-Za-z][^<>\x01]{0,300}>|&(?:[A-Za-z]{2,10}|#\d{1,7}|#x[0-9A-Fa-f]{1,6});",
}
"""RE2's patterns of all kinds but numbers; where two match at one place, the first counts."""
_DIGITS, _SEPARATED = r"\p{Nd}+", r"\p{Nd}+(?:[.,:/'’-]\p{Nd}+)+"


class Masked(NamedTuple):
    """Sentences without their spans.

    Attributes:
        texts: strings `(batch,)`, a symbol instead of each span.
        spans: strings `(batch, symbols)`, what each symbol stands for; "" for none.
    """

    texts: Tensor
    spans: Tensor


class _Parts(NamedTuple):
    """Sentences cut at their spans, each `(batch, parts)`: strings, "" behind the last; and whether each is a span."""

    texts: Tensor
    spans: Tensor


class CopiedSpans:
    """Finds what is copied, hides it behind numbered symbols, and says which span of a translation is which.

    Args:
        kinds: what is copied.
        separated: a number with separators in it (1,234.50; 2024-05-01; 12:30) is one span; otherwise its parts are
            several, and the network writes the separators.
        least_digits: numbers of fewer digits are left to the network; 0 leaves all.
    """

    def __init__(self, kinds: Sequence[CopiedKind], *, separated: bool, least_digits: int) -> None:
        self.kinds, self.separated, self.least_digits = tuple(kinds), separated, least_digits
        patterns = [pattern for kind, pattern in PATTERNS.items() if kind in ("symbols", *kinds)]
        numbers = [_SEPARATED] * separated + [_DIGITS]
        self._pattern = "|".join(patterns + numbers * (least_digits > 0))

    def mask(self, strings: Tensor) -> Masked:
        """Hides the spans of sentences `(batch,)`, the first of them behind the first symbol."""
        parts = self._parts(strings)
        return Masked(_joined(parts, _counted(parts.spans)), _numbered(parts))

    def mask_both(self, sources: Tensor, targets: Tensor) -> tuple[Masked, Tensor]:
        """Hides the spans of sentences, and those of their translations `(batch,)` that are spans of the sentence."""
        source, parts = self.mask(sources), self._parts(targets)
        return source, _joined(parts, _told(parts, source.spans))

    def mask_shared(self, sources: Tensor, targets: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Hides the spans that both sides hold, for training: of a span that the translation lacks nothing is learned.

        Args:
            sources: strings `(batch,)`.
            targets: strings `(batch,)`.
            shift: int32 `(batch,)`, number of the symbol of a row's first span, so that all symbols are trained.
        """
        own, other = self._parts(sources), self._parts(targets)
        spans = _numbered(own)
        numbers = _told(other, spans)
        places = tf.range(len(SYMBOLS))
        shared = tf.reduce_any(tf.equal(numbers[:, :, None], places), axis=1)  # (batch, symbols)
        mine = _counted(own.spans)
        known = tf.gather(shared, tf.maximum(mine, 0), batch_dims=1) & (mine >= 0)
        both = [(own, tf.where(known, mine, -1)), (other, numbers)]
        moved = [tf.where(part >= 0, (part + shift[:, None]) % len(SYMBOLS), -1) for _, part in both]
        first, second = (_joined(parts, part) for (parts, _), part in zip(both, moved, strict=True))
        return first, second

    def _parts(self, strings: Tensor) -> _Parts:
        """Cuts sentences at what the patterns match."""
        plain = tf.strings.regex_replace(strings, _MARK, "")
        marked = tf.strings.regex_replace(plain, f"({self._pattern})", rf"{_MARK}\1{_MARK}")
        texts = tf.strings.split(marked, _MARK).to_tensor(default_value="")
        # Every match stands between two marks, so every other part is one.
        spans = tf.equal(tf.range(tf.shape(texts)[1]) % 2, 1) & tf.not_equal(texts, "")
        if self.least_digits > 1:
            spans &= ~tf.strings.regex_full_match(texts, rf"\p{{Nd}}{{1,{self.least_digits - 1}}}")
        return _Parts(texts, spans)

    def save(self, folder: str | Path) -> None:
        """Writes `copies.json`; raises CheckpointError."""
        content = {"kinds": list(self.kinds), "separated": self.separated, "least_digits": self.least_digits}
        write_json(Path(folder) / FILE_NAME, content)

    @classmethod
    def load(cls, folder: str | Path) -> Self | None:
        """Reads what `save` wrote; None where nothing is copied, as in models of earlier versions.

        Raises:
            CheckpointError: the file is broken.
        """
        path = Path(folder) / FILE_NAME
        if not path.exists():
            return None
        content = read_json(path)
        try:
            kinds, separated, digits = content["kinds"], content["separated"], content["least_digits"]
            if not set(kinds) <= set(get_args(CopiedKind)) or type(separated) is not bool or type(digits) is not int:
                raise ValueError("holds values of another kind")
        except (KeyError, TypeError, ValueError) as error:
            problem = f"does not say what is copied ({error}); restore the file or train again"
            raise CheckpointError(f"{path}: {problem}") from None
        return cls(kinds, separated=separated, least_digits=digits)


def matched(spans: Tensor, of: Tensor) -> Tensor:
    """Which span each one is.

    Args:
        spans: strings `(batch, several)`; "" for none.
        of: strings `(batch, symbols)`.

    Returns:
        int32 `(batch, several)`: place in `of`, of equal ones the first for the first; -1 where there is none (left).
    """
    same = tf.equal(spans[:, :, None], of[:, None, :]) & tf.not_equal(of, "")[:, None, :]
    earlier = tf.cumsum(tf.cast(same, tf.int32), axis=1, exclusive=True)
    twins = tf.equal(of[:, :, None], of[:, None, :])
    before = tf.range(tf.shape(of)[1])
    rank = tf.reduce_sum(tf.cast(twins & (before[None, None, :] < before[None, :, None]), tf.int32), axis=2)
    match = same & tf.equal(earlier, rank[:, None, :])
    return tf.where(tf.reduce_any(match, axis=2), tf.argmax(match, axis=2, output_type=tf.int32), -1)


def _counted(spans: Tensor) -> Tensor:
    """Number of the symbol of each part `(batch, parts)`, -1 of those that are none or beyond the last symbol."""
    numbers = tf.cumsum(tf.cast(spans, tf.int32), axis=1, exclusive=True)
    return tf.where(spans & (numbers < len(SYMBOLS)), numbers, -1)


def _told(parts: _Parts, spans: Tensor) -> Tensor:
    """Number of the symbol of each part of a translation `(batch, parts)`, from the spans of its sentence."""
    return matched(tf.where(parts.spans, parts.texts, ""), spans)


def _numbered(parts: _Parts) -> Tensor:
    """What each symbol stands for, strings `(batch, symbols)`."""
    here = tf.equal(_counted(parts.spans)[:, :, None], tf.range(len(SYMBOLS)))
    return tf.strings.reduce_join(tf.where(here, parts.texts[:, :, None], ""), axis=1)


def _joined(parts: _Parts, numbers: Tensor) -> Tensor:
    """Texts `(batch,)` with the symbols of these numbers `(batch, parts)` instead of the parts that have one."""
    symbols = tf.gather(tf.constant(list(SYMBOLS)), tf.maximum(numbers, 0))
    return tf.strings.reduce_join(tf.where(numbers >= 0, symbols, parts.texts), axis=1)
