"""State sizes, output size and the shapes of all parts fit together."""

from __future__ import annotations

import pytest

from rnnapps.testing.contract import check_declarations
from tests.conformance.descriptors import ROWS, subject


@pytest.mark.parametrize("name", ROWS)
def test_declarations(name: str) -> None:
    check_declarations(subject(name))
