"""What a task makes of data that nobody has said anything about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Recognised"]


@dataclass(frozen=True)
class Recognised:
    """Data that look like those of a task.

    Attributes:
        why: what they look like, in words: "12 pieces of music (.mid)".
        plain: nothing else is as near; False where it is merely possible, as any numbers over time may be watched.
        settings: what the task is told of them, dotted key -> value.
    """

    why: str
    plain: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
