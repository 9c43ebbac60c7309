"""The fused kernel agrees with its naive twin, gradients included."""

from __future__ import annotations

import pytest

from rnnapps.testing.sequences import check_parity
from tests.conformance.descriptors import representatives, subject


@pytest.mark.parametrize("name", representatives())
def test_parity(name: str) -> None:
    check_parity(subject(name))


@pytest.mark.parametrize("name", ["lstm", "min_gru"])
def test_parity_over_many_steps(name: str) -> None:
    check_parity(subject(name), lengths=(63, 64))
