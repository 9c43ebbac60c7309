"""What is public is declared, exists, and is documented."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import rnnapps

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for folder in ("rnnapps", "pipelines")
    for path in (ROOT / folder).rglob("*.py")
    if path.name != "__main__.py"
)
ENGINES = {
    "rnnapps.scoring.on_beam": "apache_beam",
    "rnnapps.scoring.on_ray": "ray",
    "rnnapps.scoring.on_spark": "pyspark",
}
"""What needs a package that has an environment of its own."""


def imported(name: str) -> ModuleType:
    """A module; the test is skipped where it needs what is not installed."""
    if name in ENGINES:
        pytest.importorskip(ENGINES[name])
    return importlib.import_module(name)


def tree(name: str) -> ast.Module:
    path = ROOT / Path(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def defined(module: ast.Module) -> set[str]:
    """Public functions and classes that a module defines itself."""
    return {
        node.name
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }


@pytest.mark.parametrize("name", MODULES)
def test_all_names_what_the_module_defines(name: str) -> None:
    module = imported(name)
    declared = getattr(module, "__all__", None)
    if declared is None:
        assert not defined(tree(name)), f"{name} has no __all__"
        return
    assert len(set(declared)) == len(declared)
    missing = [each for each in declared if not hasattr(module, each)]
    assert not missing, f"{name}.__all__ names what does not exist"
    assert defined(tree(name)) <= set(declared), f"{name}.__all__ is incomplete"


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_has_a_docstring(name: str) -> None:
    module = imported(name)
    assert inspect.getdoc(module)
    for each in getattr(module, "__all__", ()):
        member = getattr(module, each)
        if inspect.isclass(member) or inspect.isfunction(member):
            assert member.__doc__, f"{name}.{each} has no docstring"


def test_top_level_names_load_on_first_use() -> None:
    for name in rnnapps.__all__:
        assert getattr(rnnapps, name) is not None
    assert set(dir(rnnapps)) == set(rnnapps.__all__)


def test_unknown_top_level_name_lists_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'Recurent'.*RecurrentStack"):
        _ = rnnapps.Recurent
