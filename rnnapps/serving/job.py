"""What the process of a model is to do; of the standard library alone, as it is read before the confinement."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """What the process is to do.

    Attributes:
        folder: the version folder.
        allow: operations that its graph may hold beside those of rnnapps' own exports.
        memory_bytes: the most data of the process.
        threads: runs at the same time.
        learn: whether the widths of answers are to be learned, which the server knows when a process is started again.
    """

    folder: str
    allow: list[str]
    memory_bytes: int
    threads: int
    learn: bool
