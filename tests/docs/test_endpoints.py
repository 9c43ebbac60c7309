"""The page about endpoints: its rules are those of the contract; its example passes verification, by its mask alone."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.errors import ExportError
from rnnapps.export.saved_model import export
from rnnapps.reports.model_card import ModelCard
from rnnapps.types import Tensor

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "my_endpoint.py"
SPEC = importlib.util.spec_from_file_location("my_endpoint", EXAMPLE)
assert SPEC and SPEC.loader
my_endpoint = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(my_endpoint)


def test_the_page_has_the_rules_of_the_contract() -> None:
    rules = [
        " ".join(bullet.split())
        for bullet in re.findall(r"^ +- (.*(?:\n {6}\S.*)*)", str(Endpoint.__doc__), re.MULTILINE)
    ]
    page = (EXAMPLE.parents[1] / "endpoints.md").read_text(encoding="utf-8")
    assert len(rules) == 9
    assert re.findall(r"^\| ([A-Z][^|]*) \|", page, re.MULTILINE) == rules


@pytest.fixture
def exported(tmp_path: Path) -> Callable[[], Path]:
    def export_it() -> Path:
        keras.utils.set_random_seed(0)
        network = my_endpoint.network()
        endpoints = {"serving_default": my_endpoint.endpoint(network)}
        return export(endpoints, network, None, tmp_path, config_yaml="", model_card=ModelCard("example"))

    return export_it


def test_the_answer_is_that_of_each_row_alone() -> None:
    keras.utils.set_random_seed(0)
    endpoint = my_endpoint.endpoint(my_endpoint.network())
    rows, lengths = endpoint.examples["rows"], endpoint.examples["lengths"]
    together = endpoint.function(tf.constant(rows), tf.constant(lengths))["probabilities"].numpy()
    for row, length in enumerate(lengths):
        alone = endpoint.function(tf.constant(rows[row : row + 1, :length]), tf.constant([length]))
        np.testing.assert_allclose(together[row : row + 1], alone["probabilities"].numpy(), atol=1e-6)


@pytest.mark.slow
def test_the_example_is_exported(exported: Callable[[], Path]) -> None:
    assert (exported() / "saved_model.pb").is_file()


@pytest.mark.slow
def test_without_its_mask_it_is_not(exported: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    class Everything(my_endpoint.SequenceMask):  # type: ignore[misc, name-defined]
        """Takes all steps for valid."""

        def call(self, sequences: Tensor, lengths: Tensor) -> Tensor:
            return tf.ones(tf.shape(sequences)[:2], bool)

    monkeypatch.setattr(my_endpoint, "SequenceMask", Everything)
    with pytest.raises(ExportError, match=r"padding.*add an input `lengths` and mask with it"):
        exported()
