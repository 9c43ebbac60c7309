"""`rnnapps new pipeline NAME` and `rnnapps new cell NAME`: a package, or a cell, that works from the first minute."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import sys
from importlib.resources import as_file, files
from pathlib import Path

from rnnapps.atomic import working_folder, write_atomically
from rnnapps.errors import ConfigError

__all__ = ["KINDS", "new"]

KINDS = {
    "pipeline": "a package of its own: settings, data, network, configuration, page and test",
    "cell": "a recurrent cell and its test",
}


def new(kind: str, name: str, folder: Path) -> int:
    """Writes it, and says what to do next.

    Args:
        kind: one of KINDS.
        name: how the module is called: lower case, with underscores.
        folder: where its folder goes, or a cell's two files.

    Returns:
        0.

    Raises:
        ConfigError: the name cannot be a module's, or is taken; or the folder cannot be written.
    """
    _check_name(name)
    target = folder / name if kind == "pipeline" else folder
    contents = {_renamed(place, kind, name): _renamed(text, kind, name) for place, text in _template(kind).items()}
    taken = [target] if kind == "pipeline" else [target / place for place in contents]
    for path in taken:
        if path.exists():
            raise ConfigError(f"{path}: exists already; choose another name, or another --to")
    try:
        _write(target, contents, whole=kind == "pipeline")
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror or error}; choose another --to") from error
    for place in sorted(contents):
        print(target / place)
    print(f"next: {_next_step(kind, name, target)}", file=sys.stderr)
    return 0


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name) or keyword.iskeyword(name):
        raise ConfigError(f"NAME must be a module's name, lower case with underscores, not {name!r}")
    from rnnapps.verbs.pipelines import pipeline_entries

    if name in pipeline_entries() or importlib.util.find_spec(name) is not None:
        raise ConfigError(f"{name} is the name of a module or pipeline that is installed already; choose another")


def _template(kind: str) -> dict[str, str]:
    """Place within the target -> text, of every file of a template."""
    with as_file(files("rnnapps.templates") / kind) as root:
        return {
            str(path.relative_to(root)).removesuffix(".txt"): path.read_text(encoding="utf-8")
            for path in sorted(root.rglob("*.txt"))
        }


def _renamed(text: str, kind: str, name: str) -> str:
    """The text with the template's names replaced by the new ones."""
    camel = "".join(part.capitalize() for part in name.split("_"))
    return text.replace(f"my_{kind}", name).replace(f"My{kind.capitalize()}", camel)


def _write(target: Path, contents: dict[str, str], *, whole: bool) -> None:
    """Writes the files; a package appears as a whole or not at all."""
    if not whole:
        target.mkdir(parents=True, exist_ok=True)
        for place, text in contents.items():
            write_atomically(target / place, text.encode())
        return
    with working_folder(target.parent, f".{target.name}.new-") as work:
        for place, text in contents.items():
            path = work / "files" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        os.replace(work / "files", target)


def _next_step(kind: str, name: str, target: Path) -> str:
    if kind == "pipeline":
        return f"pip install -e '{target}[dev]', then `rnnapps {name} train --config demo` and `pytest {target}`"
    return f"pytest {target / f'test_{name}.py'}"
