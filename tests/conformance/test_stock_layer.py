"""A cell in keras.layers.RNN gives the numbers it gives in Recurrent."""

from __future__ import annotations

import pytest

from rnnapps.testing.layers import check_stock_layer
from tests.conformance.descriptors import representatives, subject


@pytest.mark.parametrize("name", representatives())
def test_stock_layer(name: str) -> None:
    check_stock_layer(subject(name))
