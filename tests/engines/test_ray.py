"""Ray Data on this machine: the parts of `local`, whatever happens on the way, and frames of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnnapps.errors import ConfigError
from rnnapps.scoring.table import FrameScorer
from tests.engines.conftest import by
from tests.engines.parts import Parts

# An engine warns of its own code, too; such warnings are shown.
pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("default")]


class TestParts(Parts):
    engine = "ray"


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
