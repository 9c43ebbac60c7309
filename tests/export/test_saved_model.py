"""What an export holds, and that nothing appears in the folder of versions unless it is whole and verified."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.errors import ExportError
from rnnapps.export.artefact import load_config, load_weights, preprocessing_folder
from rnnapps.export.inference import load_for_inference
from rnnapps.export.verify import verify
from rnnapps.export.warmup import read_requests

from .conftest import PROMPTS, Words, export_one, float_endpoint, small_network


def double(x: Any) -> dict[str, Any]:
    return {"y": 2 * x}


def test_layout(exported: Path) -> None:
    assert exported.name == "1"
    extra = exported / "assets.extra"
    assert {path.name for path in extra.iterdir()} == {
        "config.yaml",
        "expected",
        "manifest.json",
        "model_card.md",
        "preprocessing",
        "signatures.json",
        "tf_serving_warmup_requests",
        "weights.npz",
    }
    assert (exported / "batching_params.pbtxt").is_file()
    assert list(exported.parent.parent.iterdir()) == [exported.parent], "the hidden workplace must be gone"
    assert stat.S_IMODE(exported.stat().st_mode) & 0o055 == 0o055, "the server runs as another user"


def test_manifest_describes_signatures(exported: Path) -> None:
    manifest = json.loads((exported / "assets.extra" / "manifest.json").read_text())
    assert manifest["signatures"]["step"]["inputs"]["tokens"] == {"dtype": "int32", "shape": [None, 4]}
    assert manifest["signatures"]["serving_default"]["outputs"]["text"] == {"dtype": "string", "shape": [None]}
    assert {"keras", "rnnapps", "tensorflow", "python"} <= set(manifest["versions"])


def test_good_export_passes(exported: Path) -> None:
    report = verify(exported.parent)
    assert report.passed, report.render()
    assert report.folder == exported
    assert "all passed" in report.render()
    assert {"files", "operations", "loads", "parity", "batch invariance", "warm-up"} <= {c.name for c in report.checks}


def test_parts_for_fine_tuning(exported: Path) -> None:
    network, weights = small_network(), load_weights(exported)
    assert set(weights) == {variable.path for variable in network.weights}
    for variable in network.weights:
        np.testing.assert_array_equal(weights[variable.path], variable.numpy())
    assert load_config(exported.parent) == "model:\n  units: 8\n"
    assert json.loads((preprocessing_folder(exported) / "words.json").read_text()) == ["a", "b"]


def test_warmup_requests(exported: Path) -> None:
    requests = list(read_requests(exported / "assets.extra" / "tf_serving_warmup_requests"))
    assert [name for name, _ in requests] == ["serving_default", "step"] * 3 + ["serving_default"]
    assert [len(next(iter(inputs.values()))) for _, inputs in requests] == [1, 1, 5, 5, 2, 2, 1]
    assert requests[2][1]["prompt"].tolist() == [*PROMPTS[1:].tolist(), PROMPTS[0]]
    np.testing.assert_array_equal(requests[1][1]["tokens"], [[0, 1, 2, 3]])
    assert requests[1][1]["tokens"].dtype == np.int32


def test_inference(exported: Path) -> None:
    model = load_for_inference(exported.parent)
    assert model.signatures == ("serving_default", "step")
    outputs = model.run("serving_default", {"prompt": ["b", "q"]})
    assert outputs["text"].tolist() == [b"B", b"Q"]
    assert outputs["word"].tolist() == [2, 0]
    with pytest.raises(ExportError, match=r"no signature 'nope'"):
        model.run("nope", {})
    with pytest.raises(ExportError, match=r"inputs \['text'\] found, \['prompt'\] expected"):
        model.run("serving_default", {"text": ["a"]})
    with pytest.raises(ExportError, match="cannot run on these inputs"):
        model.run("serving_default", {"prompt": [1.5]})


def test_next_version_and_no_overwriting(tmp_path: Path) -> None:
    base = tmp_path / "toy"
    (base / "7").mkdir(parents=True)
    (base / "notes").mkdir()
    version = export_one(base, float_endpoint(double))
    assert version == base / "8"
    assert list((base / "7").iterdir()) == []


def test_failed_export_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="scalar"):
        export_one(tmp_path / "toy", float_endpoint(lambda x: {"y": tf.reduce_sum(x)}))
    assert list(tmp_path.iterdir()) == []


def test_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="is a file"):
        export_one(tmp_path / "file" / "toy", float_endpoint(double))
    with pytest.raises(ExportError, match="is a file"):
        export_one(tmp_path / "file", float_endpoint(double))


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (np.zeros((4, 3), np.float32), "4 rows of examples found, at least 5 expected"),
        (np.zeros((5, 3), np.float64), r"float64 \(5, 3\), expected float32"),
        (np.zeros((5, 2), np.float32), r"float32 \(5, 2\), expected float32 \(None, 3\)"),
        (np.array([b"a"] * 5, dtype=object), "examples are string"),
    ],
)
def test_unfit_examples(tmp_path: Path, examples: Any, message: str) -> None:
    endpoint = Endpoint(double, {"x": tf.TensorSpec((None, 3), tf.float32)}, {"x": examples})
    with pytest.raises(ExportError, match=message):
        export_one(tmp_path / "toy", endpoint)


def test_too_many_warmup_requests(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="1001 found, 0 to 1000 expected"):
        export_one(tmp_path / "toy", float_endpoint(double), warmup=1001)


def test_untracked_table(tmp_path: Path) -> None:
    words = Words()
    prompts = {"prompt": tf.TensorSpec((None,), tf.string)}
    endpoint = Endpoint(lambda prompt: {"word": words.table.lookup(prompt)}, prompts, {"prompt": PROMPTS})
    with pytest.raises(ExportError, match=r"not saved.*pass it as trackable"):
        export_one(tmp_path / "toy", endpoint)
    assert export_one(tmp_path / "toy", endpoint, trackables=[words.table]).is_dir()
