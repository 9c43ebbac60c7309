"""The kernel compiled by XLA agrees with the naive twin, gradients included."""

from __future__ import annotations

import pytest

from rnnapps.testing.sequences import check_compiled
from tests.conformance.descriptors import representatives, subject


@pytest.mark.parametrize("name", representatives())
def test_compiled(name: str) -> None:
    check_compiled(subject(name))
