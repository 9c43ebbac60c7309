from __future__ import annotations

import numpy as np
import pytest

from rnnapps.cells import LSTM, Residual
from rnnapps.errors import ConfigError


def test_adds_the_input_to_the_output_but_not_to_the_states() -> None:
    cell, x = Residual(LSTM(3)), np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    output, states = cell(x, cell.initial_states(2))
    plain, plain_states = cell.cell(x, cell.initial_states(2))
    np.testing.assert_array_equal(output, x + plain)
    for have, want in zip(states, plain_states, strict=True):
        np.testing.assert_array_equal(have, want)


def test_input_must_have_as_many_features_as_the_cell() -> None:
    with pytest.raises(ConfigError, match="the input has 2 features but the cell 3 units"):
        Residual(LSTM(3)).build((None, None, 2))


def test_wraps_cells_only() -> None:
    with pytest.raises(ConfigError, match="Residual: expected a rnnapps cell"):
        Residual("lstm")  # type: ignore[arg-type]
