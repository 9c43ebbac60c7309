"""An exported detector: its steps are its windows, and it brings its thresholds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rnnapps.cli.main import main as rnnapps_main
from tests.tasks.anomaly_detection.watched import (
    healthy,
)


def test_steps_of_the_export_equal_its_windows(exported: Path) -> None:
    import tensorflow as tf

    served = tf.saved_model.load(str(exported)).signatures
    rows = np.stack([healthy(60, seed=seed) for seed in (3, 4)])
    rows[0, 30, 0] += 3
    rows[1, 12, 1] = 1e30
    lengths = tf.constant([60, 60])
    whole = {
        name: each.numpy() for name, each in served["serving_default"](rows=tf.constant(rows), lengths=lengths).items()
    }
    expected = served["step"].structured_input_signature[1]
    first = {
        name: tf.zeros([2, *spec.shape[1:]], spec.dtype) for name, spec in expected.items() if name.startswith("state_")
    }
    for sizes in ([1] * 60, [17, 0, 3, 40]):
        state, start = first, 0
        for size in sizes:
            chunk = np.pad(rows[:, start : start + size], [(0, 0), (0, 2), (0, 0)], constant_values=7.0)
            answers = served["step"](rows=tf.constant(chunk), lengths=tf.constant([size, size]), **state)
            assert not any(answers["problem"].numpy())
            state = {name: answers[f"next_{name}"] for name in state}
            for name in ("score", "threshold", "flag", "contribution", "missing", "silent"):
                assert np.allclose(whole[name][:, start : start + size], answers[name][:, :size], atol=1e-5), name
                assert not answers[name][:, size:].numpy().any()
            start += size
    assert whole["flag"][0, 30]
    assert whole["contribution"][0, 30].argmax() == 0
    assert all(np.isfinite(array).all() for name, array in whole.items() if name != "problem")
    short = served["serving_default"](rows=tf.constant(rows), lengths=tf.constant([20, 60]))
    assert np.allclose(short["score"][0, :20], whole["score"][0, :20], atol=1e-6)
    assert not short["score"][0, 20:].numpy().any()


def test_the_export_is_verified_and_knows_its_thresholds(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rnnapps_main(["verify", str(exported)]) == 0
    manifest = json.loads((exported / "assets.extra" / "manifest.json").read_text())
    assert {"serving_default", "step", "tensors"} == set(manifest["signatures"])
