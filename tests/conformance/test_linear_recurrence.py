"""What recur returns is linear in the output."""

from __future__ import annotations

import pytest

from rnnapps.testing.contract import check_linear_recurrence
from tests.conformance.descriptors import ROWS, subject


@pytest.mark.parametrize("name", ROWS)
def test_linear_recurrence(name: str) -> None:
    check_linear_recurrence(subject(name))
