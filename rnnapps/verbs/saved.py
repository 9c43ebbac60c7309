"""The configuration that a run folder or an export carries."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.export.manifest import EXTRA, read_manifest, trusted_file
from rnnapps.verbs import yaml_files
from rnnapps.verbs.settings import Setting

__all__ = ["read_saved", "saved_configuration"]


def read_saved(pipeline: Pipeline[Any, Any, Any], file: Path, known: Iterable[str]) -> dict[str, Setting]:
    """Reads the configuration that a run or an export carries.

    Args:
        pipeline: its application.
        file: of `saved_configuration`.
        known: every dotted key the configuration has.

    Returns:
        What is written there; and what older models were made with of settings that they could not name.
    """
    before = {key: Setting(value, str(file)) for key, value in pipeline.settings_before.items()}
    return before | yaml_files.read(file, known, pipeline_name=pipeline.name)


def saved_configuration(folder: Path) -> Path | None:
    """The file of the configuration of a run, or of the newest version of an export; None where there is none.

    Raises:
        ExportError: the file of an export is not what its manifest says: another setting would be another model.
    """
    candidates = [folder / "config.yaml", *sorted(folder.glob("assets.extra/config.yaml"))]
    numbered = [path for path in folder.glob("*/assets.extra/config.yaml") if path.parts[-3].isdigit()]
    candidates += sorted(numbered, key=lambda path: int(path.parts[-3]), reverse=True)
    found = next((path for path in candidates if path.is_file()), None)
    if found is not None and found.parent.name == EXTRA:
        version = found.parents[1]
        trusted_file(version, read_manifest(version), f"{EXTRA}/config.yaml")
    return found
