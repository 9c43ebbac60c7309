"""The fused kernel agrees with its naive twin, gradients included."""

from __future__ import annotations

import pytest

from rnnapps.cells import CELL_GROUPS
from rnnapps.testing.sequences import check_parity
from tests.conformance.descriptors import representatives, subject

MATRIX = CELL_GROUPS["matrix memory"]


@pytest.mark.parametrize("name", representatives("gated_delta_net"))
def test_parity(name: str) -> None:
    check_parity(subject(name))


@pytest.mark.parametrize("name", ["lstm", "min_gru"])
def test_parity_over_many_steps(name: str) -> None:
    check_parity(subject(name), lengths=(63, 64))


@pytest.mark.parametrize(
    ("name", "lengths"),
    [("m_lstm", (65,)), *(pytest.param(name, (63, 64, 65, 130), marks=pytest.mark.slow) for name in MATRIX)],
)
def test_parity_over_several_chunks(name: str, lengths: tuple[int, ...]) -> None:
    check_parity(subject(name), lengths=lengths)
