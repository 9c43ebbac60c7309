from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.config import RecurrentConfig
from rnnapps.errors import CheckpointError
from rnnapps.layers.stack import recurrent_stack
from rnnapps.reports.html import write_report
from rnnapps.reports.inspect import Inspection, inspect_network, inspect_run
from rnnapps.training.run import RunFolder
from tests.reports.page import Page

BATCH, TIME, VOCABULARY, UNITS = 2, 12, 7, 6


def language_model(cell: str, *, layers: int = 2) -> keras.Model:
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    stack = recurrent_stack(RecurrentConfig(cell=cell, units=UNITS, layers=layers), name="stack")
    states = [keras.Input((size,), name=f"state_{number}") for number, size in enumerate(stack.state_sizes)]
    hidden, final = stack(keras.layers.Embedding(VOCABULARY, 5)(tokens), states)
    outputs = {"logits": keras.layers.Dense(VOCABULARY)(hidden), "states": final}
    return keras.Model({"tokens": tokens, "states": states}, outputs)


def batch() -> dict[str, Any]:
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (BATCH, TIME + 1)).astype("int32")
    return {"inputs": {"tokens": tokens[:, :-1]}, "targets": tokens[:, 1:], "reset": np.array(True)}


def loss(outputs: Any, batch: Any) -> Any:
    return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(batch["targets"], outputs["logits"], True))


def test_pictures_and_tables_of_a_network(tmp_path: Path) -> None:
    told: list[str] = []
    folder = tmp_path / "run" / "inspect"
    inspection = inspect_run(language_model("lstm"), batch(), loss, folder, progress=told.append)
    assert sorted(path.name for path in folder.iterdir()) == ["gates.png", "gradient_through_time.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in folder.iterdir())
    assert len(told) == 3
    parameters, cost, gradients, gates = inspection.tables()
    expected = VOCABULARY * 5 + 4 * UNITS * (5 + UNITS + 1) + 4 * UNITS * (2 * UNITS + 1) + (UNITS + 1) * VOCABULARY
    assert parameters.rows[-1] == ("total", expected, 0)
    assert cost.caption.startswith("One batch of 2 x 12 time steps")
    assert cost.rows[-1][0] == "kept for the backward pass, stack/layer_1, MiB"
    assert len(gradients.rows) == 2 * 2 * 2  # layers, states, loss and last output
    assert [row[0] for row in gates.rows[:2]] == ["stack/layer_0 input", "stack/layer_0 forget"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset the peak of a process")
def test_measured_memory_is_told_when_asked_for() -> None:
    inspection = inspect_network(language_model("gru", layers=1), batch(), loss, measure_memory=True)
    assert inspection.measured_memory is not None
    name, _, mebibytes = inspection.cost_table().rows[-1]
    assert name == "measured rise of peak memory (not compiled), MiB"
    assert mebibytes == inspection.measured_memory / 2**20 > 0


def test_states_in_the_batch_are_not_taken_for_sequences() -> None:
    examples = batch()
    examples["inputs"] = {"states": [np.zeros((BATCH, UNITS), "float32")], **examples["inputs"]}
    inspection = inspect_network(language_model("gru", layers=1), examples, loss)
    assert (inspection.batch_size, inspection.time_steps) == (BATCH, TIME)
    with pytest.raises(ValueError, match=r"expected an input \(batch, time, ...\)"):
        inspect_network(language_model("gru", layers=1), {"inputs": {"lengths": np.zeros(2)}}, loss)


def test_inputs_beside_the_sequences_are_not_taken_for_them() -> None:
    examples = batch()
    inputs = {"a_constant": np.zeros((BATCH, 3)), "sequence": np.zeros((BATCH, TIME, 2), "float32")}
    sequence = keras.Input((None, 2), name="sequence")
    hidden, _ = recurrent_stack(RecurrentConfig(cell="gru", units=UNITS))(sequence)
    network = keras.Model(
        {"a_constant": keras.Input((3,), name="a_constant"), "sequence": sequence},
        {"logits": keras.layers.Dense(VOCABULARY)(hidden)},
    )
    inspection = inspect_network(network, {**examples, "inputs": inputs}, loss)
    assert (inspection.batch_size, inspection.time_steps) == (BATCH, TIME)


def test_a_cell_without_gates_has_no_gate_picture(tmp_path: Path) -> None:
    inspection = inspect_run(language_model("simple_rnn", layers=1), batch(), loss, tmp_path)
    assert list(inspection.plots) == ["gradient_through_time"]
    assert not (tmp_path / "gates.png").exists()
    assert inspection.tables()[3].rows == []
    assert_reported(inspection, tmp_path, pictures=2)


def test_a_network_with_gates_in_the_report(tmp_path: Path) -> None:
    assert_reported(inspect_network(language_model("gru"), batch(), loss), tmp_path, pictures=2 + 4)


def assert_reported(inspection: Inspection, folder: Path, *, pictures: int) -> None:
    page = Page(write_report(RunFolder(folder), inspection=inspection).read_text())
    assert len(page.attribute("img", "alt")) == pictures
    total = sum(count.trainable for count in inspection.parameters)
    assert ["total", f"{total:,}", "0"] in page.rows_under("Parameters and cost")


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(CheckpointError, match="cannot write pictures"):
        inspect_run(language_model("simple_rnn", layers=1), batch(), loss, blocked / "inspect")
