"""Files for other runtimes appear when their answers are those of the model, and say what they cost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.errors import ConfigError, ExportError
from rnnapps.portable.c import elementwise
from rnnapps.portable.formats import FORMATS, check_formats, check_steps
from rnnapps.portable.listing import portable_facts, read_listing
from rnnapps.portable.write import default_steps, leaving, next_graph, write_portable
from tests.portable.native import endpoint_of
from tests.portable.test_static import ENDPOINT

WEIGHTS = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32) / 4


def function(x: Any, state_h: Any) -> dict[str, Any]:
    """A simple recurrent step."""
    new = tf.tanh(tf.matmul(state_h, WEIGHTS) + x)
    return {"y": tf.reduce_sum(new, axis=1, keepdims=True), "next_state_h": new}


STEP = endpoint_of(function, {name: np.ones((2, 16), np.float32) for name in ("x", "state_h")})


def test_c_files_come_with_what_they_cost(tmp_path: Path) -> None:
    write_portable({"step": STEP, "serving_default": STEP}, tmp_path / "portable", "my model", formats=["c"])
    names = {path.name for path in (tmp_path / "portable" / "c").iterdir()}
    assert names == {f"my_model_step{kind}.{suffix}" for kind in ("", "_int8") for suffix in "ch"}
    listing = read_listing(tmp_path)["portable"]["step"]
    assert listing["states"] == {"state_h": "next_state_h"}
    assert listing["inputs"]["x"] == {"dtype": "float32", "shape": [1, 16], "meaning": ""}
    full, small = listing["files"]
    assert full["tables"] == 4 * 256 and small["tables"] == 256 + 4 * 16  # weights, and a scale for each column
    assert full["states"] == 4 * 16 and full["products"] == 256 and full["work"] == 4 * 2 * 16
    assert full["difference"] < 1e-6 < small["difference"] < 0.05 and 0 < full["code"] < 2000
    said = portable_facts({"portable": {"step": listing}})["my_model_step.c"]
    assert re.fullmatch(r"1\.\d kB flash, 0\.2 kB RAM, 256 multiply-adds a step; differs by \d\.\de-\d\d", said)
    header = (tmp_path / "portable" / "c" / "my_model_step.h").read_text()
    assert "Constants 1024 bytes; RAM 64 bytes of states a stream and 128 bytes" in header
    assert "float state_h[16]; /* 16 */" in header and "256 multiply-adds a step." in header


def test_a_program_that_answers_otherwise_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(elementwise.FORMULAS, "Tanh", "sin#({0})")
    with pytest.raises(ExportError) as raised:
        write_portable({"step": STEP}, tmp_path, "m", formats=["c"])
    line = (
        r"m_step\.c: example 0 is answered otherwise than by the model: output '\w+': differs by .*; it is not written"
    )
    assert re.fullmatch(line, str(raised.value))
    assert not list((tmp_path / "c").iterdir()) and not (tmp_path / "portable.json").exists()


def test_small_weights_that_change_too_much_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rnnapps.portable.parity.LOOSE", 1e-6)
    write_portable({"step": STEP}, tmp_path, "m", formats=["c"])
    assert {path.name for path in (tmp_path / "c").iterdir()} == {"m_step.c", "m_step.h"}
    assert "left out: m_step_int8.c: example 0 is answered otherwise" in capsys.readouterr().err


def test_a_missing_compiler_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -m32")
    with pytest.raises(
        ExportError, match=r"^no-such-compiler: no C compiler found, which C files are tried with; install"
    ):
        write_portable({"step": STEP}, tmp_path, "m", formats=["c"])


def test_a_model_without_a_step_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        ExportError, match=r"^this model has no signature step, which these formats take; it has tensors$"
    ):
        write_portable({"tensors": STEP}, tmp_path, "m", formats=["c"])


def test_formats_are_checked_by_name() -> None:
    assert check_formats(None) == () and check_formats("") == ()
    assert check_formats("c, c") == ("c",) and check_formats(["c"]) == ("c",)
    with pytest.raises(
        ConfigError, match=f"^--portable tflite: no such format; expected some of {', '.join(FORMATS)}$"
    ):
        check_formats("c,tflite")


def test_numbers_of_places_are_checked() -> None:
    assert check_steps(None) is None and check_steps("7") == check_steps(7) == 7
    for wrong in ("0", "-1", "x", 0):
        with pytest.raises(ConfigError, match=f"^--portable_steps must be a whole number above 0, not '{wrong}'$"):
            check_steps(wrong)


def test_a_step_is_one_place_and_other_signatures_are_as_long_as_their_examples() -> None:
    assert default_steps("step", ENDPOINT) == 1 and default_steps("tensors", ENDPOINT) == 3
    assert default_steps("tensors", STEP) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"format_version": 2, "signatures": {}})])
def test_a_list_that_cannot_be_read_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "portable").mkdir()
    (tmp_path / "portable" / "portable.json").write_text(content)
    with pytest.raises(ExportError, match=r"portable\.json: .*; export the model again$"):
        read_listing(tmp_path)


def test_a_step_takes_as_much_as_the_signature_that_it_begins_with_gives() -> None:
    def first(x: Any) -> dict[str, Any]:
        return {"next_state_m": x * 2, "next_state_n": tf.reduce_sum(x, axis=1)}

    def step(tokens: Any, state_m: Any, state_n: Any) -> dict[str, Any]:
        y = tokens + tf.reduce_sum(state_m, axis=1, keepdims=True)
        return {"y": y, "next_state_m": state_m, "next_state_n": state_n}

    line = tf.TensorSpec((None, None), tf.float32)
    beginning = Endpoint(first, {"x": line}, {"x": np.array([[1, 2], [3, 4]], np.float32)})
    zeros = {"tokens": np.zeros((3, 4), np.float32), "state_m": np.zeros((3, 9), np.float32)}
    going_on = Endpoint(
        step,
        {"tokens": line, "state_m": line, "state_n": tf.TensorSpec((None,), tf.float32)},
        {**zeros, "state_n": np.zeros(3, np.float32)},
        begins="first",
    )
    graphs = {}
    for name, endpoint in leaving({"step": going_on, "first": beginning}).items():
        graphs[name] = next_graph(name, endpoint, 5, graphs)
    assert list(graphs) == ["first", "step"]
    assert {name: tensor.shape.as_list() for name, tensor in graphs["step"].inputs.items()} == {
        "tokens": [1, 1],
        "state_m": [1, 5],
        "state_n": [1],
    }
    assert [case.outputs["y"].item() for case in graphs["step"].cases] == [6, 14]
