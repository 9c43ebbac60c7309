"""What the walks of all tasks begin from."""

from __future__ import annotations

import pytest

from rnnapps.testing import PipelineSubject
from tests.tasks.effects import Effects


@pytest.fixture(scope="module")
def base(subject: PipelineSubject) -> Effects:
    return Effects(subject)
