"""Direct calls of a signature through TensorFlow's C API, one row each: what a server is measured beside.

`python -m benchmarks.serving_direct VERSION SIGNATURE SECONDS`
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.export.protos import shadow_tensorflow
from rnnapps.types import Arrays

if TYPE_CHECKING:
    from rnnapps.export.loaded_model import LoadedModel

__all__ = ["main"]


def main(version: Path, signature: str, seconds: float) -> None:
    """Prints requests a second and milliseconds as JSON."""
    shadow_tensorflow()
    from rnnapps.export.c_api import Library
    from rnnapps.export.graph import read_saved_model
    from rnnapps.export.loaded_model import LoadedModel
    from rnnapps.export.rules import serving_graph
    from rnnapps.export.stored_examples import load_example

    graph = serving_graph(read_saved_model(version))
    assert graph is not None
    model, inputs = LoadedModel(Library(), version, graph), load_example(version, signature).inputs
    count = len(next(iter(inputs.values())))
    rows = [{name: array[row : row + 1] for name, array in inputs.items()} for row in range(count)]
    times = _times(model, signature, rows, 0.5)  # does not count
    times = sorted(_times(model, signature, rows, seconds))
    p50, p99 = (times[int(share * len(times))] for share in (0.5, 0.99))
    print(json.dumps({"per_second": 1e3 * len(times) / sum(times), "p50": p50, "p99": p99, "statuses": {}}))


def _times(model: LoadedModel, signature: str, rows: list[Arrays], seconds: float) -> list[float]:
    """Milliseconds of each call."""
    times: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        begun = time.monotonic()
        model.run(signature, rows[len(times) % len(rows)])
        times.append(1e3 * (time.monotonic() - begun))
    return times


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
