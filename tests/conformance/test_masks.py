"""Masked steps leave no trace."""

from __future__ import annotations

import pytest

from rnnapps.testing.sequences import check_masks
from tests.conformance.descriptors import representatives, subject


@pytest.mark.parametrize("name", representatives())
def test_masks(name: str) -> None:
    check_masks(subject(name))
