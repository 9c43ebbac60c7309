"""The configuration that a run folder or an export carries."""

from __future__ import annotations

from pathlib import Path

__all__ = ["saved_configuration"]


def saved_configuration(folder: Path) -> Path | None:
    """The file of the configuration of a run, or of the newest version of an export; None where there is none."""
    candidates = [folder / "config.yaml", *sorted(folder.glob("assets.extra/config.yaml"))]
    numbered = [path for path in folder.glob("*/assets.extra/config.yaml") if path.parts[-3].isdigit()]
    candidates += sorted(numbered, key=lambda path: int(path.parts[-3]), reverse=True)
    return next((path for path in candidates if path.is_file()), None)
