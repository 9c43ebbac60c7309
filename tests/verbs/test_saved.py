"""The configuration of an export is read only as it was exported."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnapps.errors import ExportError
from rnnapps.export.manifest import Manifest, write_manifest
from rnnapps.verbs.saved import saved_configuration


def test_a_changed_setting_of_an_export_is_told(tmp_path: Path) -> None:
    file = tmp_path / "toy" / "1" / "assets.extra" / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("model:\n  units: 8\n")
    write_manifest(file.parents[1], Manifest("toy", "", {}, {}))
    assert saved_configuration(tmp_path / "toy") == file
    assert saved_configuration(file.parents[1]) == file
    file.write_text("model:\n  units: 9\n")
    for folder in (tmp_path / "toy", file.parents[1]):
        with pytest.raises(ExportError, match=r"config.yaml: its content was changed \(SHA-256 differs\)"):
            saved_configuration(folder)
