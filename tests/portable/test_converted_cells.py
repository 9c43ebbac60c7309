"""Several steps of every cell as ONNX and as LiteRT, beside the layer that runs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rnnapps.cells import CELLS, GRUD, LSTM, Cell, ConvGRU, ConvLSTM, Elapsed, make_cell
from rnnapps.layers.stack import RecurrentStack
from rnnapps.portable.formats import FORMATS
from rnnapps.portable.static import static_graph
from tests.portable.native import endpoint_of, native

for package in ("tf2onnx", "onnxruntime", "ai_edge_litert"):
    pytest.importorskip(package, reason="the extra `portable` is not installed")

ROWS, STEPS, FEATURES, UNITS = 2, 6, 3, 8
TIMED: dict[str, Callable[[], Cell]] = {"elapsed": lambda: Elapsed(LSTM(UNITS)), "gru_d": lambda: GRUD(UNITS, FEATURES)}
MAPS = {"conv_gru": lambda: ConvGRU(2, (3,)), "conv_lstm": lambda: ConvLSTM(2, (3, 1))}
EVERY = {**{name: lambda name=name: make_cell(name, UNITS) for name in CELLS}, **TIMED, **MAPS}


def endpoint(name: str, steps: int) -> Any:
    """Steps of one cell, with times between them where it reads them, and values missing where it may."""
    keras.utils.set_random_seed(0)
    stack = RecurrentStack([EVERY[name]()])
    stack.build((None, None, FEATURES))
    random, shapes = np.random.default_rng(0), stack.state_shapes
    features = random.normal(size=(ROWS, steps, FEATURES)).astype(np.float32)
    if name == "gru_d":
        features[0, 0, 1] = features[1, -1, 0] = np.nan
    examples = {"features": features} | {f"state_{n}": np.zeros((ROWS, *s), np.float32) for n, s in enumerate(shapes)}
    if name in TIMED:
        examples["elapsed"] = random.exponential(size=(ROWS, steps)).astype(np.float32)

    def run(features: Any, elapsed: Any = None, **states: Any) -> dict[str, Any]:
        before = [states[f"state_{number}"] for number in range(len(shapes))]
        outputs, final = stack(features, states=before, elapsed=elapsed)
        return {"outputs": outputs} | {f"next_state_{number}": state for number, state in enumerate(final)}

    return endpoint_of(run, examples)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["onnx", "litert"])
@pytest.mark.parametrize("name", EVERY)
def test_several_steps_are_those_of_the_layer(name: str, kind: str, tmp_path: Path) -> None:
    file, *_ = FORMATS[kind].write(static_graph("step", endpoint(name, STEPS), STEPS), tmp_path, "m")
    assert file["difference"] < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", [*TIMED, *MAPS])
def test_a_step_in_c(name: str, tmp_path: Path) -> None:
    made = endpoint(name, 1)
    step, _ = native(static_graph("step", made, 1), tmp_path)
    row = {key: array[1:] for key, array in made.examples.items()}
    answers = step(**{key: value for key, value in row.items() if not key.startswith("state_")})
    np.testing.assert_allclose(answers["outputs"], made.function(**row)["outputs"], atol=1e-6)
