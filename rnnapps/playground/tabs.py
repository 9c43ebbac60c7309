"""Tabs that a pipeline brings itself: `playground/tab.js` beside its module. Other models get the tab for any."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from rnnapps.verbs.pipelines import pipeline_entries

__all__ = ["tab_folder"]


def tab_folder(pipeline: str) -> Path | None:
    """The folder with the tab of an installed pipeline; None where it brings none.

    The pipeline's module is found, not loaded: the server needs none of its code.

    Args:
        pipeline: its name, as an export tells it.
    """
    entry = pipeline_entries().get(pipeline)
    try:
        spec = importlib.util.find_spec(entry.module) if entry else None
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).with_name("playground")
    return folder if (folder / "tab.js").is_file() else None
