"""A sequence in two chunks with carried states is the whole sequence."""

from __future__ import annotations

import pytest

from rnnapps.testing.sequences import check_split
from tests.conformance.descriptors import ROWS, subject


@pytest.mark.parametrize("name", ROWS)
def test_split(name: str) -> None:
    check_split(subject(name))
