"""All weights are made in build, and all are used."""

from __future__ import annotations

import pytest

from rnnapps.testing.contract import check_weights
from tests.conformance.descriptors import ROWS, subject


@pytest.mark.parametrize("name", ROWS)
def test_weights(name: str) -> None:
    check_weights(subject(name))
