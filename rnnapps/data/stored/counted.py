"""Entries of a cache folder that remember which examples could not be read when they were made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.stored.entries import StoredFolders
from rnnapps.errors import DataError

__all__ = ["open_counted"]

COUNTED = "counted.json"


def open_counted(kept: StoredFolders, key: str, write: Callable[[Path], None], good: GoodExamples) -> Path:
    """The folder of an entry; what `good` counted while it was made is counted again each time it is opened.

    Args:
        kept: where it is kept.
        key: tells of what, and how, it is made.
        write: writes the files into an empty folder, and counts.
        good: counts examples.

    Raises:
        DataError: as `StoredFolders.open` and `write` do.
    """
    tried, known, dropped = good.count, len(good.bad), good.dropped.copy()

    def write_and_count(folder: Path) -> None:
        write(folder)
        bad = [(error.path, error.problem, error.remedy) for error in good.bad[known:]]
        counted = {"count": good.count - tried, "bad": bad, "dropped": good.dropped - dropped}
        (folder / COUNTED).write_text(json.dumps(counted), encoding="utf-8")
        good.count, good.bad, good.dropped = tried, good.bad[:known], dropped.copy()

    folder = kept.open(key, write_and_count)
    try:
        counted = json.loads((folder / COUNTED).read_text(encoding="utf-8"))
        good.count += int(counted["count"])
        good.bad += [DataError(*own) for own in counted["bad"]]
        good.dropped.update(counted["dropped"])
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(folder, "what was kept here is damaged", "remove the folder and start again") from None
    return folder
