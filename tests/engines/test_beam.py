"""Apache Beam on this machine: the parts of `local`, whatever happens on the way, and pipelines of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.parts import Parts

# An engine warns of its own code, too; such warnings are shown.
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]


class TestParts(Parts):
    engine = "beam"


def test_a_pipeline_of_ones_own(models: Path, tmp_path: Path) -> None:
    import apache_beam as beam
    from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
    from apache_beam.testing.util import assert_that, equal_to

    from rnnapps.scoring.on_beam import SavedModelHandler

    handler = KeyedModelHandler(SavedModelHandler(models / "toy"))
    with beam.Pipeline() as pipeline:
        found = (
            pipeline
            | beam.Create([(1, {"text": "ab"}), (2, {"text": b"\xff"}), (3, {"text": "größer"})])
            | RunInference(handler)
            | beam.MapTuple(lambda key, result: (key, result.inference["upper"], bool(result.inference["problem"])))
        )
        assert_that(found, equal_to([(1, "AB", False), (2, None, True), (3, "GRÖSSER", False)]))
