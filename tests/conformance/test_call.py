"""A cell's call is Keras's step made of its parts."""

from __future__ import annotations

import pytest

from rnnapps.testing.contract import check_call
from tests.conformance.descriptors import ROWS, subject


@pytest.mark.parametrize("name", ROWS)
def test_call(name: str) -> None:
    check_call(subject(name))
