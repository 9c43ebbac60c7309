"""ONNX and LiteRT files: named as the signature is, and answered by their own runtimes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import ExportError
from rnnapps.portable import lowering
from rnnapps.portable.formats import FORMATS
from rnnapps.portable.static import StaticGraph, static_graph
from tests.portable.native import endpoint_of
from tests.portable.test_lowering import EXAMPLES, function

WEIGHTS = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32) / 8

for package in ("tf2onnx", "onnxruntime", "ai_edge_litert"):
    pytest.importorskip(package, reason="the extra `portable` is not installed")

from rnnapps.portable.litert_files import LiteRun  # noqa: E402
from rnnapps.portable.onnx_files import OnnxRun  # noqa: E402


def step(x: Any, state_h: Any) -> dict[str, Any]:
    """A simple recurrent step; one output no input changes."""
    new = tf.tanh(tf.matmul(state_h, WEIGHTS) + x)
    return {"y": tf.reduce_sum(new, axis=1, keepdims=True), "next_state_h": new, "size": tf.constant([64])}


STEP_EXAMPLES = {name: np.full((2, 64), value, np.float32) for name, value in (("x", 0.1), ("state_h", 0.2))}


@pytest.fixture
def static() -> StaticGraph:
    return static_graph("step", endpoint_of(step, STEP_EXAMPLES), 1)


def test_onnx_takes_and_gives_the_names_of_the_signature(static: StaticGraph, tmp_path: Path) -> None:
    (file,) = FORMATS["onnx"].write(static, tmp_path, "m")
    assert file["files"] == ["m_step.onnx"] and file["difference"] < 1e-6
    assert file["bytes"] == (tmp_path / "m_step.onnx").stat().st_size
    found = OnnxRun((tmp_path / "m_step.onnx").read_bytes())(static.cases[1].inputs)
    assert set(found) == {"y", "next_state_h", "size"}
    np.testing.assert_allclose(found["next_state_h"], static.cases[1].outputs["next_state_h"], atol=1e-6)


def test_litert_comes_with_full_and_with_small_weights(static: StaticGraph, tmp_path: Path) -> None:
    full, small = FORMATS["litert"].write(static, tmp_path, "m")
    assert (full["files"], small["files"]) == (["m_step.tflite"], ["m_step_int8.tflite"])
    assert full["difference"] < 1e-6 < small["difference"] < 0.05 and small["bytes"] < 0.5 * full["bytes"]
    found = LiteRun((tmp_path / "m_step.tflite").read_bytes())(static.cases[0].inputs)
    assert set(found) == {"y", "next_state_h", "size"}
    np.testing.assert_allclose(found["y"], static.cases[0].outputs["y"], rtol=1e-5)


@pytest.mark.parametrize("name", ["onnx", "litert"])
def test_operations_that_are_missing_there_have_other_formulas(name: str, tmp_path: Path) -> None:
    examples = {key: value for key, value in EXAMPLES.items() if key != "film" or name == "litert"}

    def known(**inputs: Any) -> dict[str, Any]:
        given = {**{key: tf.constant(value) for key, value in EXAMPLES.items()}, **inputs}
        return {key: value for key, value in function(**given).items() if key != "solved"}

    written = FORMATS[name].write(static_graph("tensors", endpoint_of(known, examples), 1), tmp_path, "m")
    assert written[0]["difference"] < 1e-5


@pytest.mark.parametrize("name", ["onnx", "litert"])
def test_converters_are_silent(
    name: str, static: StaticGraph, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    level = logging.getLogger("tensorflow").level
    collection = tf.compat.v1.get_collection_ref(tf.compat.v1.GraphKeys.TABLE_INITIALIZERS)
    collection.append(None)  # as a table of another model leaves it
    try:
        FORMATS[name].write(static, tmp_path, "m")
        static_graph("step", endpoint_of(step, STEP_EXAMPLES), 1)
    finally:
        collection.pop()
    assert capfd.readouterr() == ("", "") and not caplog.records
    assert logging.getLogger("tensorflow").level == level


@pytest.mark.parametrize("name", ["onnx", "litert"])
def test_what_is_not_chosen_has_no_influence(name: str, tmp_path: Path) -> None:
    """A converter that multiplies it by 0 makes no number of what is none, or infinite."""

    def chosen(x: Any) -> dict[str, Any]:
        small, known = tf.abs(x) < 1e30, x == x
        return {
            "kept": tf.where(small, x, 7.0) - tf.reduce_mean(tf.where(small, x, tf.zeros_like(x))),
            "both": tf.cast(tf.where(small, x > 0, known), tf.float32),
        }

    endpoint = endpoint_of(chosen, {"x": np.array([[1, np.nan, np.inf, -2], [3, 0, -np.inf, 1e32]], np.float32)})
    written = FORMATS[name].write(static_graph("tensors", endpoint, 1), tmp_path, "m")
    assert written[0]["difference"] == 0


@pytest.mark.parametrize("name", ["onnx", "litert"])
def test_a_file_that_answers_otherwise_is_not_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(lowering.FORMULAS, "Log1p", lambda _, inputs: [inputs[0] * 1.001])
    wrong = endpoint_of(lambda x: {"y": tf.math.log1p(x)}, {"x": np.ones((1, 2), np.float32)})
    with pytest.raises(ExportError, match=r"^m_tensors\.\w+: example 0 is answered otherwise than by the model: "):
        FORMATS[name].write(static_graph("tensors", wrong, 1), tmp_path, "m")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "said"), [("onnx", "BesselI0"), ("litert", "it has no operation BesselI0")])
def test_an_operation_that_a_format_lacks_is_named(name: str, said: str, tmp_path: Path) -> None:
    odd = endpoint_of(lambda x: {"y": tf.raw_ops.BesselI0(x=x)}, {"x": np.ones((1, 2), np.float32)})
    with pytest.raises(ExportError, match=said) as raised:
        FORMATS[name].write(static_graph("tensors", odd, 1), tmp_path, "m")
    assert "\n" not in str(raised.value) and not list(tmp_path.iterdir())
