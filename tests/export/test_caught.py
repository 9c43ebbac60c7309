"""Every kind of endpoint that a server would refuse or answer wrongly is caught, with a message that says where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.errors import ExportError

from .conftest import PROMPTS, export_one, float_endpoint


def python_function(x: Any) -> dict[str, Any]:
    return {"y": tf.ensure_shape(tf.py_function(lambda value: value * 2, [x], tf.float32), (None, 3))}


def ragged(x: Any) -> dict[str, Any]:
    return {"y": tf.RaggedTensor.from_tensor(x)}


def compiled(x: Any) -> dict[str, Any]:
    return {"y": tf.function(lambda value: value * 2, jit_compile=True)(x)}


def random(x: Any) -> dict[str, Any]:
    return {"y": tf.random.uniform(tf.shape(x))}


def not_a_number(x: Any) -> dict[str, Any]:
    return {"y": tf.where(x > 1.9, np.nan, x)}


def eager_only(x: Any) -> dict[str, Any]:
    return {"y": x if tf.executing_eagerly() else x + 0.1}


def transposed(x: Any) -> dict[str, Any]:
    return {"y": tf.reshape(x, (-1,))}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (python_function, r"signature 'serving_default'.*EagerPyFunc runs Python"),
        (ragged, r"output 'y': is ragged; return a dense tensor"),
        (lambda x: {"y": tf.reduce_sum(x)}, r"signature 'serving_default', output 'y': is a scalar"),
        (lambda x: {"y": tf.ones((5, 2)) * x[0, 0]}, r"output 'y': has a fixed first dimension of 5"),
        (lambda x: {"y": tf.cast(x, tf.bfloat16)}, r"output 'y': is bfloat16, which has no JSON form"),
        (lambda x: {"y_bytes": x}, r"output 'y_bytes': ends in '_bytes' but is not a string"),
        (lambda x: {"a-b": x}, r"output 'a-b': letters, digits and underscores only"),
        (lambda x: x, r"return a dict of named tensors"),
        (lambda x: {"y": tf.matmul(x, x)}, r"fails on its own examples \(InvalidArgumentError"),
        (transposed, r"output 'y': shape \(15,\) for a batch of 5"),
        (not_a_number, r"row 4 has the problem 'no answer: .* no finite numbers', but is good"),
        (
            lambda x: {"y": x - tf.reduce_mean(x, axis=0)},
            r"batch 2, output 'y': differs by .* depends on the other rows",
        ),
        (compiled, r"compiled by XLA, which a server lacks"),
        (random, r"RandomUniform draws random numbers .* take a `seed` input"),
        (eager_only, r"batch 5, output 'y': differs by 0.1 at .* the saved graph and the Keras model differ"),
    ],
)
def test_bad_endpoint(tmp_path: Path, function: Callable[..., Any], message: str) -> None:
    with pytest.raises(ExportError, match=message) as caught:
        export_one(tmp_path / "toy", float_endpoint(function))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_shared_variable(tmp_path: Path) -> None:
    total = tf.Variable(0.0)
    endpoint = float_endpoint(lambda x: {"y": x + total.assign_add(1.0)})
    with pytest.raises(ExportError, match=r"AssignAddVariableOp changes a variable that all clients share"):
        export_one(tmp_path / "toy", endpoint, trackables=[total])


def test_padding_that_changes_an_answer(tmp_path: Path) -> None:
    def mean(x: Any) -> dict[str, Any]:
        return {"y": tf.reduce_mean(x, axis=1)}

    with pytest.raises(ExportError, match=r"padding: .*padded rows, output 'y': .* add an input `lengths`"):
        export_one(tmp_path / "toy", float_endpoint(mean, (None, None)))


def test_lengths_make_padding_harmless(tmp_path: Path) -> None:
    def mean(x: Any, lengths: Any) -> dict[str, Any]:
        mask = tf.sequence_mask(lengths, tf.shape(x)[1], x.dtype)
        return {"y": tf.reduce_sum(x * mask, axis=1) / tf.cast(lengths, x.dtype)}

    signature = {"x": tf.TensorSpec((None, None), tf.float32), "lengths": tf.TensorSpec((None,), tf.int32)}
    values = np.arange(15, dtype=np.float32).reshape(5, 3)
    endpoint = Endpoint(mean, signature, {"x": values, "lengths": np.array([3, 1, 2, 3, 1], np.int32)})
    assert export_one(tmp_path / "toy", endpoint).is_dir()


def test_binary_output_without_its_name(tmp_path: Path) -> None:
    def function(prompt: Any) -> dict[str, Any]:
        return {"wave": tf.strings.join([prompt, tf.constant(b"\xff\x00")])}

    endpoint = Endpoint(function, {"prompt": tf.TensorSpec((None,), tf.string)}, {"prompt": PROMPTS})
    with pytest.raises(ExportError, match=r"output 'wave': holds bytes that are not UTF-8; name it 'wave_bytes'"):
        export_one(tmp_path / "toy", endpoint)


def test_missing_default_signature(tmp_path: Path) -> None:
    from rnnapps.export.saved_model import export
    from rnnapps.reports.model_card import ModelCard

    from .conftest import empty_network

    endpoints = {"tensors": float_endpoint(lambda x: {"y": x})}
    with pytest.raises(ExportError, match=r"endpoints \['tensors'\] found, 'serving_default' among them expected"):
        export(endpoints, empty_network(), None, tmp_path / "toy", config_yaml="", model_card=ModelCard("toy"))
