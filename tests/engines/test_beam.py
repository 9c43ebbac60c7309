"""Apache Beam on this machine: the parts of `local`, whatever happens on the way, and pipelines of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rnnapps.errors import ConfigError
from tests.engines.conftest import by, killed_and_gone_on_with, written

# An engine warns of its own code, too; such warnings are shown.
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]


def test_parts_are_those_of_local(models: Path, rows: Path, tmp_path: Path) -> None:
    local = by("local", models, rows, tmp_path / "local")
    scored = by("beam", models, rows, tmp_path / "beam")
    assert written(tmp_path / "beam") == written(tmp_path / "local")
    assert (scored.rows, scored.problems, scored.parts) == (local.rows, local.problems, local.parts)
    assert len([name for name in written(tmp_path / "beam") if "problems" in name]) == 10
    again = by("beam", models, rows, tmp_path / "beam")
    assert (again.parts, again.parts_before, again.rows) == (0, local.parts, 0)


def test_what_is_wrong_in_a_worker_is_one_line(models: Path, rows: Path, tmp_path: Path) -> None:
    """Of a file that is broken, and of a model that is refused."""
    broken = tmp_path / "rows"
    broken.mkdir()
    (broken / "a.csv").write_text('key,values\n1,2\n3,"open')
    with pytest.raises(ConfigError, match=r"a\.csv: behind line 2: unexpected end of data; correct the file") as error:
        by("beam", models, broken, tmp_path / "beam")
    assert "\n" not in str(error.value)
    shutil.copytree(models, tmp_path / "models")
    (tmp_path / "models" / "toy" / "1" / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(ConfigError, match=r"saved_model\.pb") as error:
        by("beam", tmp_path / "models", rows, tmp_path / "other")
    assert "\n" not in str(error.value)


def test_killed_at_any_moment_no_row_is_lost_and_none_is_there_twice(models: Path, rows: Path, tmp_path: Path) -> None:
    by("local", models, rows, tmp_path / "local")
    first, second, last = killed_and_gone_on_with("beam", models, rows, tmp_path / "beam")
    assert 0 < first < second <= last == 10
    assert written(tmp_path / "beam") == written(tmp_path / "local")


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
