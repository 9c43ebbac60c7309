"""The house as its code has it: every module, what it imports, and the level on which it stands.

Tests hold the code to these levels, and `docs.draw_architecture` draws them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["DOOR", "GRAPH", "MODULES", "ROOT", "TASKS", "levels", "part", "task_names", "task_of"]

ROOT = Path(__file__).parents[1]
TASKS = "rnnapps.tasks."
DOOR = "rnnapps"
"""The package itself, whose public names load on first use: anybody may ask it for its version."""


def levels() -> list[list[str]]:
    """The levels of the house, lowest first, as CONTRIBUTING.md prints them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```text\n(pipelines.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line.split() for line in reversed(block.strip().splitlines())]


def part(module: str) -> str:
    """The level's name for a module: the folder or file below rnnapps, or `pipelines`."""
    top, _, rest = module.partition(".")
    return rest.partition(".")[0] if top == DOOR else top


def task_of(module: str) -> str | None:
    """The task to whose folder a module belongs; None for what stands outside."""
    return module.removeprefix(TASKS).partition(".")[0] if module.startswith(TASKS) else None


def task_names() -> list[str]:
    """The tasks in alphabetical order."""
    return sorted({task for task in map(task_of, MODULES) if task})


def _modules() -> dict[str, Path]:
    """Dotted name -> file of every module."""
    files = [path for folder in (DOOR, "pipelines") for path in (ROOT / folder).rglob("*.py")]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in sorted(files)
    }


def _imported(path: Path) -> Iterator[str]:
    """Every module of ours that a file imports anywhere: at its top, in functions, for annotations."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno}: relative import; write the whole name of the module")
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from ([name] if name in MODULES else [str(node.module)] if node.module in MODULES else [])


MODULES = _modules()
GRAPH = {name: set(_imported(path)) - {name, DOOR} for name, path in MODULES.items()}
"""Module -> the modules that it imports."""
