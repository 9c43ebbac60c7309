"""Rows and time steps do not see each other."""

from __future__ import annotations

import pytest

from rnnapps.testing.contract import check_rows
from tests.conformance.descriptors import ROWS, subject


@pytest.mark.parametrize("name", ROWS)
def test_rows(name: str) -> None:
    check_rows(subject(name))
