"""Exports of version 0.1, as they were written then: they are read, and answer as they did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rnnapps
from rnnapps.export.inference import load_for_inference
from rnnapps.export.manifest import read_manifest
from rnnapps.export.signature_file import read_signatures
from rnnapps.export.stored_examples import load_example
from rnnapps.verbs.pipelines import pipeline_entries
from tests.golden.archives import unpack

QUICK = ("anomaly_detection", "forecasting", "text_generation")
NAMES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in sorted(pipeline_entries())]


@pytest.fixture(scope="module", params=NAMES)
def export(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(request.param, tmp_path_factory.mktemp("golden") / request.param / "1")


def test_it_is_read(export: Path) -> None:
    signatures = read_signatures(export)
    assert signatures.pipeline == export.parent.name and "serving_default" in signatures.signatures
    assert rnnapps.load(export).pipeline.name == signatures.pipeline


def test_it_answers_as_it_did(export: Path) -> None:
    model = load_for_inference(export)
    for name in read_manifest(export).signatures:
        example = load_example(export, name)
        found = model.run(name, example.inputs)
        assert found.keys() == example.outputs.keys()
        for key, expected in example.outputs.items():
            if expected.dtype == object:
                assert found[key].tolist() == expected.tolist()
            else:
                scale = max(1.0, float(np.abs(expected).max(initial=0)))
                np.testing.assert_allclose(found[key], expected, rtol=0, atol=1e-4 * scale, err_msg=f"{name} {key}")
