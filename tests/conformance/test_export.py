"""A model exported as a SavedModel comes back the same."""

from __future__ import annotations

import pytest

from rnnapps.testing.layers import check_export
from tests.conformance.descriptors import representatives, subject


@pytest.mark.parametrize("name", representatives())
def test_export(name: str) -> None:
    check_export(subject(name))
