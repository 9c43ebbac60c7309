"""Rows a second of `rnnapps score` beside plain loops over the same rows, of trained models.

`python -m benchmarks.scoring [ROWS]` prints a table. Each figure is that of one process on the same machine, the model
loaded before the clock starts: a loop of one row at a time, a loop of 256 rows at a time with rows of all lengths
padded to the longest, and `rnnapps score` from JSON lines to JSON lines.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rnnapps.export.protos import shadow_tensorflow
from rnnapps.types import Arrays

if TYPE_CHECKING:
    from rnnapps.contract.served import ServedSignature
    from rnnapps.export.loaded_model import LoadedModel

__all__ = ["MODELS", "main", "rates_of_loops"]

BATCH = 256
ALONE = 20
"""Each so manieth row is run alone: it is the slow way."""


def _texts(rows: int) -> Iterator[dict[str, Any]]:
    """Texts of 5 to 400 characters, most of them short."""
    words = [
        "the",
        "value",
        "of",
        "an",
        "expression",
        "is",
        "a",
        "list",
        "that",
        "names",
        "bind",
        "in",
        "this",
        "block",
    ]
    for _ in range(rows):
        size = int(min(400, 5 * random.paretovariate(1)))
        yield {"text": " ".join(random.choices(words, k=size))[:size]}


def _dates(rows: int) -> Iterator[dict[str, Any]]:
    """Dates of a few words."""
    for number in range(rows):
        yield {"sentence": f"May {1 + number % 28}, {1990 + number % 40}"}


def _histories(rows: int) -> Iterator[dict[str, Any]]:
    """Chunks of 1 to 60 rows of eight sensors."""
    for _ in range(rows):
        chunk = [[random.gauss(0, 1) for _ in range(8)] for _ in range(random.randint(1, 60))]
        yield {"rows": chunk}


MODELS: dict[str, tuple[str, Callable[[int], Iterator[dict[str, Any]]]]] = {
    "text": ("score", _texts),
    "translation_phrases": ("serving_default", _dates),
    "machine_faults": ("serving_default", _histories),
}


def main(rows: int = 20_000) -> None:
    """Prints the table."""
    shadow_tensorflow()
    from rnnapps.zoo import unpacked

    print(
        "| model, signature | one by one | 256 at a time | `rnnapps score` | with 2 processes |\n|---|--:|--:|--:|--:|"
    )
    for name, (signature, make) in MODELS.items():
        random.seed(0)
        figures = _rates(unpacked(name), signature, list(make(rows)))
        print(f"| `zoo:{name}`, `{signature}` | " + " | ".join(f"{rate:,.0f}" for rate in figures) + " |", flush=True)


def rates_of_loops(base: Path, signature: str, rows: list[dict[str, Any]]) -> list[float]:
    """Rows a second one by one, and 256 at a time."""
    from rnnapps.export.signature_file import read_signatures
    from rnnapps.export.versions import find_version

    folder = find_version(base)
    served = read_signatures(folder).signatures[signature]
    model = _loaded(folder)
    few = rows[::ALONE]
    return [
        len(few) / _seconds(model, signature, served, [[row] for row in few]),
        len(rows) / _seconds(model, signature, served, [rows[n : n + BATCH] for n in range(0, len(rows), BATCH)]),
    ]


def _rates(base: Path, signature: str, rows: list[dict[str, Any]]) -> list[float]:
    """Rows a second of each way."""
    from rnnapps.scoring.options import ScoreOptions
    from rnnapps.scoring.score import score

    figures = rates_of_loops(base, signature, rows)
    with TemporaryDirectory() as temporary:
        path = Path(temporary, "rows.jsonl")
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        for workers in (1, 2):
            scored = score(base, [path], Path(temporary, str(workers)), ScoreOptions(signature, workers=workers))
            assert scored.rows == len(rows)
            figures.append(scored.rows / scored.seconds)
    return figures


def _seconds(model: LoadedModel, signature: str, served: ServedSignature, batches: list[list[dict[str, Any]]]) -> float:
    """What a loop over batches takes, after one that does not count."""
    from rnnapps.client.request import complete

    def inputs(batch: list[dict[str, Any]]) -> Arrays:
        return complete(signature, served, {name: [row[name] for row in batch] for name in batch[0]})

    model.run(signature, inputs(batches[0]))
    begun = time.monotonic()
    for batch in batches:
        model.run(signature, inputs(batch))
    return time.monotonic() - begun


def _loaded(folder: Path) -> LoadedModel:
    from rnnapps.export.c_api import Library
    from rnnapps.export.graph import read_saved_model
    from rnnapps.export.loaded_model import LoadedModel
    from rnnapps.export.rules import serving_graph

    graph = serving_graph(read_saved_model(folder))
    assert graph is not None
    return LoadedModel(Library(), folder, graph)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
