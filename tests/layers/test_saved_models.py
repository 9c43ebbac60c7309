"""Keras finds our classes in its files once this package was imported, however early or late."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import pytest

from rnnapps import cells
from rnnapps.layers import GRU, Recurrent
from rnnapps.registration import _Waiting

ORDERS = (
    "import rnnapps, keras",
    "import keras, rnnapps",
    "from rnnapps import cells",
    "from rnnapps import Recurrent",
)


def test_other_modules_are_left_alone() -> None:
    before = list(sys.meta_path)
    assert _Waiting().find_spec("kerastuner") is None
    assert sys.meta_path == before


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
def test_a_new_process_loads_a_saved_model(order: str, tmp_path: Path) -> None:
    file = tmp_path / "model.keras"
    keras.Sequential([keras.Input((None, 3)), GRU(2, return_sequences=True), Recurrent(cells.LayerNormLSTM(4))]).save(
        file
    )
    line = f"{order}; import keras; print(*(type(each) for each in keras.models.load_model({str(file)!r}).layers))"
    done = subprocess.run([sys.executable, "-c", line], check=True, capture_output=True, text=True)
    assert "rnnapps.layers" in done.stdout and "Recurrent" in done.stdout
