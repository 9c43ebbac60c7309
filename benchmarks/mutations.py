"""Copies of input files with one thing wrong with each: bits, lengths, encodings, numbers, separators."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

__all__ = ["MUTATIONS", "Mutation"]

Mutation = Callable[[np.random.Generator, bytes], bytes]

NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
NUMBERS = (
    *(b"1e308", b"-1e308", b"1e999", b"9" * 40, b"-" + b"9" * 40, b"9" * 5_000, b"1e-320", b"nan", b"inf", b"-inf"),
    *(b"1,5", b"1.234.567", b"0x7f", b"1_000", "\u0663".encode(), b"--1", b"1e", b"", b"2024-13-45", b"-0"),
)
"""What may stand where a number does."""

EXTREMES = (
    *(b"\x00", b"\xff", b"\x80", b"\x7f", b"\xff\xff", b"\x00" * 4, b"\xff" * 4, b"\xff" * 8, b"\x7f\xff\xff\xff"),
    *(b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x00\x00\x80\x7f", b"\x00\x00\xc0\x7f"),
)
SEPARATORS = (
    b",",
    b";",
    b"\t",
    b"|",
    b" ",
    b"\n",
    b"\r",
    b"\r\n",
    b'"',
    b"'",
    b":",
    b"\x00",
    b"\x1b[2J",
    "\ufeff".encode(),
)
ENCODINGS = ("utf-16", "utf-16-be", "utf-32", "cp1252", "utf-7", "cp037", "shift_jis")
MEGABYTE = 1 << 20


def _span(draw: np.random.Generator, content: bytes) -> slice:
    """A part, short or long, of at least a byte where there is one."""
    longest = max(1, min(len(content), int(2 ** draw.uniform(0, 17))))
    first = int(draw.integers(len(content) + 1 - min(longest, len(content))))
    return slice(first, first + int(draw.integers(1, longest + 1)))


def _place(draw: np.random.Generator, content: bytes) -> int:
    """A place of the file, a third of them in its first 128 bytes."""
    return int(draw.integers(min(len(content), 128) + 1 if draw.random() < 0.33 else len(content) + 1))


def _flip(draw: np.random.Generator, content: bytes) -> bytes:
    """A few bits turned over."""
    changed = bytearray(content)
    for _ in range(int(draw.integers(1, 9)) if changed else 0):
        changed[_place(draw, content[:-1])] ^= 1 << int(draw.integers(8))
    return bytes(changed)


def _cut(draw: np.random.Generator, content: bytes) -> bytes:
    """The file without its end, or without its beginning."""
    place = _place(draw, content)
    return content[:place] if draw.random() < 0.75 else content[place:]


def _double(draw: np.random.Generator, content: bytes) -> bytes:
    """A part, or the whole, twice or more often."""
    part = _span(draw, content) if draw.random() < 0.8 else slice(0, len(content))
    return content[: part.stop] + content[part] * int(draw.choice([1, 1, 2, 20])) + content[part.stop :]


def _remove(draw: np.random.Generator, content: bytes) -> bytes:
    """The file without a part."""
    part = _span(draw, content)
    return content[: part.start] + content[part.stop :]


def _exchange(draw: np.random.Generator, content: bytes) -> bytes:
    """Two parts, each in the place of the other."""
    one, other = sorted((_span(draw, content), _span(draw, content)), key=lambda part: part.start)
    first, second = content[one], content[max(one.stop, other.start) : other.stop]
    between = content[one.stop : max(one.stop, other.start)]
    return content[: one.start] + second + between + first + content[max(one.stop, other.stop) :]


def _overwrite(draw: np.random.Generator, content: bytes) -> bytes:
    """Bytes that stand for the largest, the least or no numbers."""
    place, value = _place(draw, content), EXTREMES[draw.integers(len(EXTREMES))]
    return content[:place] + value + content[place + len(value) :]


def _number(draw: np.random.Generator, content: bytes) -> bytes:
    """Another number, in one place or in a whole run of them; bytes where the file has none that can be read."""
    found = list(NUMBER.finditer(content[:MEGABYTE]))
    if not found:
        return _overwrite(draw, content)
    first, value = int(draw.integers(len(found))), NUMBERS[draw.integers(len(NUMBERS))]
    for match in reversed(found[first : first + int(draw.choice([1, 1, 1, 40]))]):
        content = content[: match.start()] + value + content[match.end() :]
    return content


def _separator(draw: np.random.Generator, content: bytes) -> bytes:
    """Another sign between things, once or throughout, or one more of them somewhere."""
    one, other = (SEPARATORS[number] for number in draw.choice(len(SEPARATORS), 2))
    if draw.random() < 0.5:
        return content.replace(one, other, int(draw.choice([1, 10, -1])))
    place = _place(draw, content)
    return content[:place] + other * int(draw.choice([1, 1, 1_000, 200_000])) + content[place:]


def _encode(draw: np.random.Generator, content: bytes) -> bytes:
    """The text in another encoding; of other files a part with a mark of UTF-8 before it."""
    try:
        return content.decode("utf-8").encode(ENCODINGS[draw.integers(len(ENCODINGS))], errors="replace")
    except UnicodeDecodeError:
        place = _place(draw, content)
        return content[:place] + b"\xef\xbb\xbf" + content[place:]


def _random(draw: np.random.Generator, content: bytes) -> bytes:
    """Noise in a part of the file, or nothing but noise or nothing."""
    part = _span(draw, content)
    if draw.random() < 0.1:
        return draw.bytes(int(draw.choice([0, 1, 10, 1_000])))
    return content[: part.start] + draw.bytes(part.stop - part.start) + content[part.stop :]


MUTATIONS: dict[str, Mutation] = {
    "bits turned": _flip,
    "cut": _cut,
    "doubled": _double,
    "part removed": _remove,
    "parts exchanged": _exchange,
    "bytes of extreme numbers": _overwrite,
    "numbers replaced": _number,
    "separators replaced": _separator,
    "other encoding": _encode,
    "noise": _random,
}
"""What is wrong -> makes a copy with it."""
