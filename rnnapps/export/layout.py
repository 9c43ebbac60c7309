"""Which files an export consists of: servers give some names a meaning, so a list says what may be there."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from rnnapps.export.checks import Check, check

__all__ = ["layout_checks"]

_FILES = re.compile(
    r"saved_model\.pb|fingerprint\.pb|batching_params\.pbtxt|variables/variables\.(index|data-\d{5}-of-\d{5})"
    r"|assets\.extra/(config\.yaml|ensemble\.json|manifest\.json(\.sig)?|model_card\.md|signatures\.json|tf_serving_warmup_requests|weights\.npz"
    r"|expected/[A-Za-z]\w*\.npz|preprocessing/[^.\\:][^\\:]*|portable/(portable\.json|\w+/\w+\.(c|h|onnx|tflite)))",
    re.ASCII,
)
_FOLDERS = re.compile(
    r"assets|variables|assets\.extra(/(expected|portable(/\w+)?|preprocessing(/[^.\\:][^\\:]*)?))?", re.ASCII
)


def layout_checks(folder: Path) -> list[Check]:
    """What can be said of names, kinds and modes of files alone.

    Args:
        folder: the version folder.
    """
    entries = list(_entries(folder))
    modes = [entry for entry in entries if not entry[1] & stat.S_IROTH]
    closed = "; other users, a server's perhaps, cannot read it all" if modes else ""
    return [
        check("layout", _name_failures(entries), f"{len(entries)} files and folders, each with a known name"),
        check("modes", _mode_failures(entries), f"nobody but its owner and group can change it{closed}"),
    ]


def _entries(folder: Path) -> Iterator[tuple[str, int]]:
    """Path within the folder and mode of everything in it, links themselves; the folder itself is "."."""
    yield ".", folder.stat().st_mode
    for parent, folders, files in os.walk(folder):
        for name in sorted((*folders, *files)):
            path = Path(parent) / name
            yield path.relative_to(folder).as_posix(), path.lstat().st_mode


def _name_failures(entries: list[tuple[str, int]]) -> Iterator[str]:
    for name, mode in entries[1:]:
        known = _FOLDERS if stat.S_ISDIR(mode) else _FILES
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            yield f"{name}: neither a file nor a folder; remove it or export the model again"
        elif not known.fullmatch(name):
            yield f"{name}: no part of an export, and a server might read it; remove it or export the model again"


def _mode_failures(entries: list[tuple[str, int]]) -> Iterator[str]:
    for name, mode in entries:
        if stat.S_ISLNK(mode):
            continue
        if mode & stat.S_IWOTH:
            yield f"{name}: everybody can change it; chmod o-w"
        if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
            yield f"{name}: runs as its owner or group; chmod ug-s"
