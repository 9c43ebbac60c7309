"""A copy made from a cell's config is the same cell."""

from __future__ import annotations

import pytest

from rnnapps.testing.contract import check_config
from tests.conformance.descriptors import ROWS, subject


@pytest.mark.parametrize("name", ROWS)
def test_config(name: str) -> None:
    check_config(subject(name))
