"""The pipeline obeys the contract."""

from __future__ import annotations

from rnnapps.testing import PipelineSubject
from tests.tasks.conformance import check_property, every_property


@every_property("interruption")
def test_property(subject: PipelineSubject, name: str) -> None:
    check_property(subject, name)
