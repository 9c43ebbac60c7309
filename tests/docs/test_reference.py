"""The API reference holds every module that it should, and none that does not exist."""

from __future__ import annotations

import importlib
import re
import typing

import pytest

from docs.house import DOOR, MODULES, ROOT, TASKS, task_names

PAGES = sorted((ROOT / "docs" / "api").glob("*.md"))
SHOWN = [name for page in PAGES for name in re.findall(r"automodule:: (\S+)", page.read_text(encoding="utf-8"))]


def test_each_module_is_shown_once_and_exists() -> None:
    assert len(SHOWN) == len(set(SHOWN))
    assert set(SHOWN) <= set(MODULES)


@pytest.mark.parametrize("folder", ["cells", "layers", "testing"])
def test_public_folders_are_shown(folder: str) -> None:
    assert f"{DOOR}.{folder}" in SHOWN


def test_the_whole_contract_is_shown() -> None:
    own = {name for name in MODULES if name.startswith("rnnapps.contract.")}
    assert own <= set(SHOWN)


@pytest.mark.parametrize("task", task_names())
def test_a_task_is_shown_with_all_its_settings(task: str) -> None:
    module = importlib.import_module(f"{TASKS}{task}.pipeline")
    groups = typing.get_type_hints(module.Config).values()
    homes = {module.__name__, *(group.__module__ for group in groups if group.__module__.startswith(DOOR))}
    assert len(homes) > 2
    assert homes <= set(SHOWN)
