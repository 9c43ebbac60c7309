"""What is said of a scoring, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rnnapps.errors import ConfigError
from rnnapps.scoring.parts import KINDS

__all__ = ["ENGINES", "Progress", "ScoreOptions", "Scored"]

ENGINES = ("local", "ray", "beam")
"""What runs the parts: processes of this machine, Ray Data, or Apache Beam."""

Progress = Callable[[int, float], None]
"""Is told of so many more rows that were run, and which share of the input has been read."""


@dataclass(frozen=True)
class ScoreOptions:
    """How files are scored.

    Attributes:
        signature: of the model that is asked.
        columns: input -> the column that it is read from, where their names differ.
        key: columns that are written beside the answers.
        outputs: those that are written; all where it is empty.
        kind: of the files that are written: jsonl or parquet.
        part_rows: rows of one part, which is done as a whole or not at all.
        workers: processes of the model.
        root: folder that paths in the rows are relative to, and stay inside of; by default that of their file.
        query: the rows of a database, in SQL, with an order.
        engine: one of `ENGINES`.
        engine_options: what the engine is told, by its own names.
    """

    signature: str = "serving_default"
    columns: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    kind: str = "jsonl"
    part_rows: int = 10_000
    workers: int = 1
    root: Path | None = None
    query: str = ""
    engine: str = "local"
    engine_options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks every value; raises ConfigError."""
        if self.kind not in KINDS:
            raise ConfigError(f"--format must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.engine not in ENGINES:
            raise ConfigError(f"--engine must be one of {', '.join(ENGINES)}, not {self.engine!r}")
        if self.engine == "local" and self.engine_options:
            raise ConfigError("--engine_options: the engine local has none; leave them out")
        for name in ("part_rows", "workers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"--{name} must be at least 1, not {getattr(self, name)}")

    @property
    def answers(self) -> dict[str, object]:
        """Those settings that decide what stands in which part."""
        names = ("signature", "columns", "key", "outputs", "kind", "part_rows", "root")
        return {name: getattr(self, name) for name in names}


@dataclass
class Scored:
    """What was done.

    Attributes:
        rows: answered now.
        problems: rows without an answer now; the reasons stand in `part-*.problems.jsonl`.
        parts: written now.
        parts_before: that an earlier command has written.
        seconds: it took, without loading the model.
    """

    rows: int = 0
    problems: int = 0
    parts: int = 0
    parts_before: int = 0
    seconds: float = 0.0
