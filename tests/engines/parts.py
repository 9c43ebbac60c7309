"""What holds of the parts of every engine that the command knows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import pytest

from rnnapps.errors import ConfigError
from tests.engines.conftest import by, killed_and_gone_on_with, written

__all__ = ["Parts"]


class Parts:
    """Tests of an engine; a subclass names it."""

    engine: ClassVar[str]

    def test_they_are_those_of_local(self, models: Path, rows: Path, tmp_path: Path) -> None:
        local = by("local", models, rows, tmp_path / "local")
        scored = by(self.engine, models, rows, tmp_path / "engine")
        assert written(tmp_path / "engine") == written(tmp_path / "local")
        assert (scored.rows, scored.problems, scored.parts) == (local.rows, local.problems, local.parts)
        assert len([name for name in written(tmp_path / "engine") if "problems" in name]) == 10
        again = by(self.engine, models, rows, tmp_path / "engine")
        assert (again.parts, again.parts_before, again.rows) == (0, local.parts, 0)

    def test_what_is_wrong_in_a_worker_is_one_line(self, models: Path, rows: Path, tmp_path: Path) -> None:
        """Of a file that is broken, and of a model that is refused."""
        broken = tmp_path / "rows"
        broken.mkdir()
        (broken / "a.csv").write_text('key,values\n1,2\n3,"open')
        message = r"a\.csv: behind line 2: unexpected end of data; correct the file"
        with pytest.raises(ConfigError, match=message) as error:
            by(self.engine, models, broken, tmp_path / "engine")
        assert "\n" not in str(error.value)
        shutil.copytree(models, tmp_path / "models")
        (tmp_path / "models" / "toy" / "1" / "saved_model.pb").write_bytes(b"no graph")
        with pytest.raises(ConfigError, match=r"saved_model\.pb") as error:
            by(self.engine, tmp_path / "models", rows, tmp_path / "other")
        assert "\n" not in str(error.value)

    def test_killed_at_any_moment_no_row_is_lost_and_none_is_there_twice(
        self, models: Path, rows: Path, tmp_path: Path
    ) -> None:
        by("local", models, rows, tmp_path / "local")
        first, second, last = killed_and_gone_on_with(self.engine, models, rows, tmp_path / "engine")
        assert 0 < first < second <= last == 10
        assert written(tmp_path / "engine") == written(tmp_path / "local")
