"""Imports only go downwards, and what answers `--help` is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEVELS = (
    {"config", "errors"},
    {"kernels"},
    {"cells", "data", "preprocessing"},
    {"layers", "decoding", "detection", "metrics"},
    {
        *("pipeline", "training", "export", "serving", "reports", "testing"),
        *("forecasting", "music", "speech", "translation", "video"),
    },
    {"cli"},
    {"pipelines"},
)
LIGHT = [
    "rnnapps",
    "rnnapps.config",
    "rnnapps.errors",
    "rnnapps.contract.pipeline",
    "rnnapps.cli.verbs",
    "rnnapps.cli.arguments",
]
HEAVY = {"tensorflow", "keras", "matplotlib", "pandas", "tensorflow_datasets", "numpy"}
MODULES = sorted(path for folder in ("rnnapps", "pipelines") for path in (ROOT / folder).rglob("*.py"))


def level(module: str) -> int | None:
    """Height of a module, None for the package's own __init__."""
    top, _, rest = module.partition(".")
    part = rest.partition(".")[0] if top == "rnnapps" else top
    return next((height for height, parts in enumerate(LEVELS) if part in parts), None)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path: Path) -> None:
    own = level(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if own is None:
        assert path == ROOT / "rnnapps" / "__init__.py", f"{path} has no place in the order"
        return
    ours = {name: level(name) for name in imported(path) if name.partition(".")[0] in ("rnnapps", "pipelines")}
    upwards = [name for name, height in ours.items() if height is not None and height > own]
    assert not upwards


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_load_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
