"""What clients are told of a model, and what is refused because nobody could rely on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.served import ServedSignature, ServedTensor, Signatures
from rnnapps.errors import ExportError
from rnnapps.export.manifest import read_manifest, write_manifest
from rnnapps.export.signature_file import SIGNATURES, parse_signatures, read_signatures, signatures_text
from rnnapps.export.verify import verify

from .conftest import export_one

STATE = ServedTensor("float32", [None, 2], "memory", next="next_state_0", zero=[0.0, 1.0])
WANTED = ServedTensor("int32", [None], "how many", least=1, most=9, default=0)
ROWS = ServedTensor("float64", [None, None, 3], "rows", missing=True)
STEP = ServedSignature(
    "Goes on.",
    {"state_0": STATE, "steps": WANTED, "rows": ROWS},
    {"next_state_0": ServedTensor("float32", [None, 2]), "problem": ServedTensor("string", [None], "why not")},
    ["steps must be from 1 to 9"],
    begins="encode",
)


def test_what_is_written_is_read() -> None:
    signatures = Signatures("model", "gestures", {"step": STEP})
    assert parse_signatures(signatures_text(signatures)) == signatures
    assert STEP.states == {"state_0": STATE}


def test_what_says_nothing_is_left_out() -> None:
    entry = json.loads(signatures_text(Signatures("m", "", {"step": STEP})))["signatures"]["step"]
    assert entry["inputs"]["steps"] == {
        "dtype": "int32", "shape": [None], "meaning": "how many", "least": 1, "most": 9, "default": 0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "missing or unknown entry"),
        ('{"format": 0}', "format 0 found, 1 expected"),
        ('{"format": 1, "signatures": {"step": {}}}', "missing or unknown entry"),
        ('{"format": 1, "signatures": {}, "surprise": 1}', "missing or unknown entry"),
    ],
)
def test_other_files(text: str, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        parse_signatures(text)


def stepping(outputs: Callable[[Any], dict[str, Any]]) -> Endpoint:
    return Endpoint(
        lambda state_a: outputs(state_a),
        {"state_a": tf.TensorSpec((None, 2), tf.float32)},
        {"state_a": np.ones((5, 2), np.float32)},
    )


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (lambda state: {"y": state}, "no output 'next_state_a' found; return what the next request takes"),
        (lambda state: {"state_a": state, "next_state_a": state}, "'state_a' is an input and an output"),
        (lambda state: {"next_state_a": state[:, :1]}, "output 'next_state_a': .* expected as input 'state_a' is"),
        (lambda state: {"next_state_a": tf.cast(state, tf.int32)}, "output 'next_state_a': .*int32.* found"),
    ],
)
def test_states_come_in_pairs(tmp_path: Path, outputs: Callable[[Any], dict[str, Any]], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        export_one(tmp_path / "toy", stepping(outputs))
    assert not (tmp_path / "toy").exists()


def test_first_states_and_limits_are_told(exported: Path) -> None:
    step = read_signatures(exported).signatures["step"]
    assert (step.inputs["tokens"].least, step.inputs["tokens"].most) == (0, 9)
    assert (step.inputs["state_0"].next, step.inputs["state_0"].zero) == ("next_state_0", 0.0)
    assert step.inputs["state_0"].meaning.startswith("what the model remembers")


def test_a_file_that_tells_other_things_does_not_verify(version: Path) -> None:
    path = version / SIGNATURES
    path.write_text(path.read_text().replace("next_state_0", "next_state_1"))
    write_manifest(version, read_manifest(version))
    report = verify(version)
    (failed,) = (item for item in report.checks if item.name == "descriptions")
    assert "signature 'step' is not that of the manifest" in failed.detail and not failed.passed
    path.unlink()
    assert "cannot be read" in str(verify(version).render())
