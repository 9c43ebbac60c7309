"""bfloat16 computes near float32 and keeps weights and gradients in float32."""

from __future__ import annotations

import pytest

from rnnapps.testing.layers import check_mixed_precision
from tests.conformance.descriptors import representatives, subject


@pytest.mark.parametrize("name", representatives())
def test_mixed_precision(name: str) -> None:
    check_mixed_precision(subject(name))
