"""The configuration that a run folder or an export carries."""

from __future__ import annotations

from pathlib import Path

from rnnapps.export.manifest import EXTRA, read_manifest, trusted_file

__all__ = ["saved_configuration"]


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
