"""A sequence in two chunks with carried states is the whole sequence."""

from __future__ import annotations

import pytest

from rnnapps.testing.sequences import check_split
from tests.conformance.descriptors import representatives, subject


@pytest.mark.parametrize("name", representatives())
def test_split(name: str) -> None:
    check_split(subject(name))
