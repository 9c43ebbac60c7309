"""`batching_params.pbtxt`: how many rows a server may gather into one run, and how long it may wait for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from rnnapps.errors import ExportError

__all__ = ["BATCHING", "BatchingSettings", "batching_failures", "parse_batching", "read_batching"]

BATCHING = "batching_params.pbtxt"
_LARGEST_TEXT = 1024**2
# What a batching server may be asked: more would keep requests waiting, or the machine busy with threads.
_LIMITS = {
    "max_batch_size": (1, 4096),
    "batch_timeout_micros": (0, 10_000_000),
    "max_enqueued_batches": (1, 1_000_000),
    "num_batch_threads": (1, 1024),
    "allowed_batch_sizes": (1, 4096),
}
_LINE = re.compile(r"(\w+)\s*(?:\{\s*value\s*:\s*(\d{1,18})\s*\}|:\s*(\d{1,18}))|pad_variable_length_inputs\s*:\s*\w+")


@dataclass(frozen=True)
class BatchingSettings:
    """What the file says, by TensorFlow Serving's names, and what that server takes where it says nothing.

    Attributes:
        max_batch_size: the most rows of one run.
        batch_timeout_micros: microseconds that a row waits for others.
        max_enqueued_batches: batches that may wait; a request that would make more is refused.
        num_batch_threads: runs at the same time.
        allowed_batch_sizes: ascending; a batch is filled up to the next of them. Empty for any size.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = 1
    allowed_batch_sizes: tuple[int, ...] = ()


def read_batching(folder: Path) -> BatchingSettings | None:
    """The settings of a version folder, None where there is no file.

    Raises:
        ExportError: the file cannot be read, or says something else.
    """
    path = folder / BATCHING
    try:
        if path.stat().st_size > _LARGEST_TEXT:
            raise ExportError(f"{path}: larger than {_LARGEST_TEXT >> 20} MiB; export the model again")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path}: cannot be read ({error}); export the model again") from error
    for failure in batching_failures(text):
        raise ExportError(f"{path}: {failure}; export the model again")
    return parse_batching(text)


def parse_batching(text: str) -> BatchingSettings:
    """The settings of a text in which `batching_failures` found nothing."""
    found: dict[str, list[int]] = {}
    for line in _lines(text):
        if (match := _LINE.fullmatch(line)) and match[1]:
            found.setdefault(match[1], []).append(int(match[2] or match[3]))
    sizes = tuple(sorted(found.pop("allowed_batch_sizes", [])))
    known = {field.name for field in fields(BatchingSettings)}
    last = {name: values[-1] for name, values in found.items() if name in known}
    return BatchingSettings(**last, allowed_batch_sizes=sizes)


def batching_failures(text: str) -> Iterator[str]:
    """Yields what is wrong with each line that no server would take."""
    for line in _lines(text):
        found = _LINE.fullmatch(line)
        if not found:
            yield f"line {line[:60]!r} is no setting of batching"
        elif found[1]:
            least, most = _LIMITS.get(found[1], (1, 0))
            if not least <= int(found[2] or found[3]) <= most:
                yield f"{line[:60]!r} is none of {', '.join(_LIMITS)} within their limits"


def _lines(text: str) -> Iterator[str]:
    """The lines that say something."""
    yield from filter(None, (line.split("#")[0].strip() for line in text.splitlines()))
