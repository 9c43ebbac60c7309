"""Direct calls of a signature through TensorFlow's C API, one row each: what a server is measured beside.

`python -m benchmarks.serving_direct VERSION SIGNATURE SECONDS [parity]`
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.serving_rows import difference, rows_of
from rnnapps.export.protos import shadow_tensorflow
from rnnapps.types import Arrays

if TYPE_CHECKING:
    from rnnapps.export.answers import Example
    from rnnapps.export.loaded_model import LoadedModel

__all__ = ["main"]


def main(version: Path, signature: str, seconds: float, *, parity: bool) -> None:
    """Prints as JSON how long loading and the first request take, requests a second, milliseconds, and differences."""
    shadow_tensorflow()
    from rnnapps.export.c_api import Library
    from rnnapps.export.graph import read_saved_model
    from rnnapps.export.loaded_model import LoadedModel
    from rnnapps.export.rules import serving_graph
    from rnnapps.export.stored_examples import load_example

    library, begun = Library(), time.monotonic()
    graph = serving_graph(read_saved_model(version))
    assert graph is not None
    model = LoadedModel(library, version, graph)
    load_seconds = time.monotonic() - begun
    rows = rows_of(load_example(version, signature).inputs)
    first = _times(model, signature, rows, 0.0)
    _times(model, signature, rows, 0.5)  # does not count
    times = sorted(_times(model, signature, rows, seconds))
    p50, p99 = (times[int(share * len(times))] for share in (0.5, 0.99))
    figures = {"per_second": 1e3 * len(times) / sum(times), "p50": p50, "p99": p99, "statuses": {}}
    figures |= {"load_seconds": load_seconds, "first": first[0]}
    if parity:
        figures["differences"] = {
            name: _from_keras(model, name, load_example(version, name))
            for name in sorted(graph.signature_def)
            if not name.startswith("__")
        }
    print(json.dumps(figures))


def _from_keras(model: LoadedModel, signature: str, example: Example) -> float:
    """The largest difference of each row alone from what Keras gave when the model was exported."""
    pairs = zip(rows_of(example.inputs), rows_of(example.outputs), strict=True)
    return max(difference(expected, model.run(signature, row)) for row, expected in pairs)


def _times(model: LoadedModel, signature: str, rows: list[Arrays], seconds: float) -> list[float]:
    """Milliseconds of each call, at least one."""
    times: list[float] = []
    until = time.monotonic() + seconds
    while not times or time.monotonic() < until:
        begun = time.monotonic()
        model.run(signature, rows[len(times) % len(rows)])
        times.append(1e3 * (time.monotonic() - begun))
    return times


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), parity="parity" in sys.argv[4:])
