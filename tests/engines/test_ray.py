"""Ray Data on this machine: the parts of `local`, whatever happens on the way, and frames of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from rnnapps.errors import ConfigError
from rnnapps.scoring.table import FrameScorer
from tests.engines.conftest import by, killed_and_gone_on_with, written

# An engine warns of its own code, too; such warnings are shown.
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]


def test_parts_are_those_of_local(models: Path, rows: Path, tmp_path: Path) -> None:
    local = by("local", models, rows, tmp_path / "local")
    scored = by("ray", models, rows, tmp_path / "ray")
    assert written(tmp_path / "ray") == written(tmp_path / "local")
    assert (scored.rows, scored.problems, scored.parts) == (local.rows, local.problems, local.parts)
    assert len([name for name in written(tmp_path / "ray") if "problems" in name]) == 10
    again = by("ray", models, rows, tmp_path / "ray")
    assert (again.parts, again.parts_before, again.rows) == (0, local.parts, 0)


def test_what_is_wrong_in_a_worker_is_one_line(models: Path, rows: Path, tmp_path: Path) -> None:
    """Of a file that is broken, and of a model that is refused."""
    broken = tmp_path / "rows"
    broken.mkdir()
    (broken / "a.csv").write_text('key,values\n1,2\n3,"open')
    with pytest.raises(ConfigError, match=r"a\.csv: behind line 2: unexpected end of data; correct the file") as error:
        by("ray", models, broken, tmp_path / "ray")
    assert "\n" not in str(error.value)
    shutil.copytree(models, tmp_path / "models")
    (tmp_path / "models" / "toy" / "1" / "saved_model.pb").write_bytes(b"no graph")
    with pytest.raises(ConfigError, match=r"saved_model\.pb") as error:
        by("ray", tmp_path / "models", rows, tmp_path / "other")
    assert "\n" not in str(error.value)


def test_killed_at_any_moment_no_row_is_lost_and_none_is_there_twice(models: Path, rows: Path, tmp_path: Path) -> None:
    by("local", models, rows, tmp_path / "local")
    first, second, last = killed_and_gone_on_with("ray", models, rows, tmp_path / "ray")
    assert 0 < first < second <= last == 10
    assert written(tmp_path / "ray") == written(tmp_path / "local")


def test_an_unknown_option_is_one_line(models: Path, rows: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Ray takes address, not runner"):
        by("ray", models, rows, tmp_path, runner="x")


def test_a_dataset_of_ones_own(models: Path) -> None:
    import ray
    import ray.data

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        rows: list[dict[str, Any]] = [{"id": n, "text": "ab" * n} for n in range(40)]
        answered = ray.data.from_items(rows).map_batches(
            FrameScorer,
            fn_constructor_args=(str(models / "toy"),),
            batch_format="pandas",
            compute=ray.data.ActorPoolStrategy(size=1),
        )
        found = sorted((row["id"], row["upper"], row["wave_bytes"], row["problem"]) for row in answered.take_all())
    finally:
        ray.shutdown()
    assert found == [(n, "AB" * n, b"ab" * n + b"\xff", "") for n in range(40)]
