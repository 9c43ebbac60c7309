"""The fused kernel agrees with its naive twin, gradients included."""

from __future__ import annotations

import pytest

from rnnapps.testing.sequences import check_parity
from tests.conformance.descriptors import ROWS, subject


@pytest.mark.parametrize("name", ROWS)
def test_parity(name: str) -> None:
    check_parity(subject(name))
