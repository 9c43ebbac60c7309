"""A model saved to a .keras file comes back the same."""

from __future__ import annotations

import pytest

from rnnapps.testing.layers import check_file
from tests.conformance.descriptors import rows_to_save, subject


@pytest.mark.parametrize("name", rows_to_save())
def test_file(name: str) -> None:
    check_file(subject(name))
