"""LiteRT files in the interpreter of microcontrollers; the package tflite-micro is no extra: install it to know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rnnapps.cells import make_cell
from rnnapps.layers.stack import RecurrentStack
from rnnapps.portable.formats import FORMATS
from rnnapps.portable.static import StaticGraph, static_graph
from tests.portable.test_c_cells import step_of

runtime = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="pip install tflite-micro")
pytest.importorskip("ai_edge_litert", reason="the extra `portable` is not installed")

FEATURES, UNITS, STEPS = 3, 16, 1000
CELLS = ("lstm", "gru", "simple_rnn")


@pytest.mark.parametrize("name", CELLS)
def test_a_thousand_steps_are_those_of_the_layer(name: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    stack = RecurrentStack([make_cell(name, UNITS)])
    stack.build((None, None, FEATURES))
    static = static_graph("step", step_of({name: stack}), 1)
    FORMATS["litert"].write(static, tmp_path, "m")
    step = Micro(tmp_path / "m_step.tflite", static)
    sequence = np.random.default_rng(1).normal(size=(1, STEPS, FEATURES)).astype(np.float32)
    states = {key: value[None] for key, value in static.first.items()}
    for place in range(STEPS):
        answer = step({"features": sequence[:, place : place + 1], **states})
        states = {key: answer[after] for key, after in static.states.items()}
    np.testing.assert_allclose(answer[name][0, 0], stack(sequence)[0][0, -1], atol=1e-5)


class Micro:
    """A file in TensorFlow Lite Micro; its tensors have no names, but the order of the signature's own names."""

    def __init__(self, path: Path, static: StaticGraph) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = runtime.Interpreter.from_file(str(path))
        plain = Interpreter(model_path=str(path))
        runner = plain.get_signature_runner()
        self._inputs = _order(plain.get_input_details(), runner.get_input_details())
        self._outputs = _order(plain.get_output_details(), runner.get_output_details())

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """The outputs by name."""
        for place, name in enumerate(self._inputs):
            self._interpreter.set_input(inputs[name], place)
        self._interpreter.invoke()
        return {name: self._interpreter.get_output(place) for place, name in enumerate(self._outputs)}


def _order(details: Any, named: Any) -> list[str]:
    """Names of tensors in the order of the file."""
    names = {own["index"]: name for name, own in named.items()}
    return [names[own["index"]] for own in details]
