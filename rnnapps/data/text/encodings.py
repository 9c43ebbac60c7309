"""The encoding of a text that is not UTF-8: by its byte order mark, as told, or as found by charset-normalizer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.errors import ConfigError, DataError

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

__all__ = ["encoding_of", "found_encoding", "likely_encoding", "require_encoding", "text_in"]

FEWEST = 20
"""Bytes that are no ASCII, from which on an encoding can be told by what they would mean."""

SAMPLE_BYTES = 1 << 18
COMMON = (
    *("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874", "iso8859_2"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949", "cp866", "cp437", "mac_roman", "utf_16_le", "utf_16_be"),
)
"""Encodings that people have; of those that make about as much sense of a text, the first is taken."""

NOISIER, LESS_COHERENT = 0.02, 0.1
"""Differences of charset-normalizer's measures below which two encodings make about as much sense."""

_ASCII = bytes(range(128))
_MARKED = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def encoding_of(head: bytes) -> str:
    """The encoding that the first bytes of a text tell by their byte order mark, or UTF-8."""
    return next((encoding for mark, encoding in _MARKED.items() if head.startswith(mark)), "UTF-8")


def require_encoding(key: str, encoding: str) -> None:
    """Raises ConfigError, unless Python reads text in this encoding; an empty one is found."""
    try:
        if encoding:
            "".encode(encoding)
    except (LookupError, ValueError):  # such as a name with a zero byte
        expected = "an encoding that Python knows, such as cp1252, koi8-r or shift_jis"
        raise ConfigError(f"{key} must be {expected}, not {encoding!r}") from None


def text_in(content: bytes, encoding: str, name: str | Path) -> str:
    """Text in an encoding that was told; raises DataError where it is not."""
    try:
        return content.decode(encoding)
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = content.count(b"\n", 0, start) + 1
        raise DataError(name, f"byte {start} (line {line}) is no {encoding} text", "name another encoding") from None


def found_encoding(content: bytes, name: str | Path) -> str | None:
    """The encoding in which all of a text makes sense, told on standard error; None where that cannot be known.

    Args:
        content: of a text that is not UTF-8.
        name: what to call it.
    """
    found = likely_encoding(content)
    if found is not None:
        shown = f"is not UTF-8, and is read as {found}, which makes sense of it; --data.encoding names another"
        print(f"note: {name}: {shown}", file=sys.stderr)
    return found


def likely_encoding(content: bytes) -> str | None:
    """The encoding in which all of a text that is not UTF-8 makes sense; None where that cannot be known."""
    import charset_normalizer

    sample = content[:SAMPLE_BYTES]
    if len(content) > SAMPLE_BYTES:
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    if len(sample.translate(None, _ASCII)) < FEWEST:
        return None
    matches = list(charset_normalizer.from_bytes(sample, cp_isolation=list(COMMON)))
    possible = {name for match in matches if _as_good(match, matches[0]) for name in match.could_be_from_charset}
    found = next((name for name in COMMON if name in possible), None)
    try:
        content.decode(found or "ascii")
    except UnicodeDecodeError:
        return None
    return found


def _as_good(match: CharsetMatch, best: CharsetMatch) -> bool:
    """Whether an encoding makes about as much sense as the best one."""
    return match.chaos <= best.chaos + NOISIER and match.coherence >= best.coherence - LESS_COHERENT
