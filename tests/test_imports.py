"""The house: imports go downwards and never in a circle, a task stands alone, and what answers `--help` is light."""

from __future__ import annotations

import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.house import DOOR, GRAPH, MODULES, ROOT, TASKS, levels, part, task_names, task_of

PUBLIC = {
    "rnnapps.preprocessing.pieces": "cutting text into pieces, for any task that reads text",
    "rnnapps.preprocessing.fit_pieces": "the same: its vocabularies",
    "rnnapps.export.inference": "an export as a Python object, for client code",
    "rnnapps.client": "asking a model that is served, for client code",
    "rnnapps.scoring.on_spark": "answers as a column of Spark, for client code",
}
"""Modules of the library that fewer than two tasks use and that stand outside tasks/ all the same, and why."""
PROCESSES = ("rnnapps.export.confined", "rnnapps.serving.worker")
SHARED_ROOTS = ("rnnapps", "rnnapps.cli.main", "rnnapps.testing", *PROCESSES, *PUBLIC)
"""What users, and processes that this package starts itself, begin with."""
OWN_GROUPS = ("decoding", "detection")
"""Groups of settings that only tasks have."""
LIGHT = [
    "rnnapps",
    "rnnapps.config",
    "rnnapps.errors",
    "rnnapps.types",
    "rnnapps.contract.pipeline",
    "rnnapps.verbs.start",
    "rnnapps.cli.verbs",
    "rnnapps.cli.arguments",
    "rnnapps.tasks.text_generation.pipeline",
]
HEAVY = {"tensorflow", "keras", "matplotlib", "pandas", "tensorflow_datasets", "numpy"}


def height(module: str) -> int:
    found = [number for number, parts in enumerate(levels()) if part(module) in parts]
    assert found, f"{module}: {part(module)!r} stands on no level of CONTRIBUTING.md"
    return found[0]


def reached(module: str) -> set[str]:
    """All modules that a module needs, itself among them."""
    found, pending = set(), [module]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += GRAPH[name]
    return found


def test_there_are_seven_tasks_each_with_its_thin_command() -> None:
    assert len(task_names()) == 7
    assert sorted(name.removeprefix("pipelines.") for name in MODULES if part(name) == "pipelines") == task_names()


def test_imports_never_run_in_a_circle() -> None:
    list(graphlib.TopologicalSorter(GRAPH).static_order())  # raises CycleError, which names the circle


@pytest.mark.parametrize("module", [name for name in MODULES if name not in (DOOR, "rnnapps.__main__")])
def test_imports_go_downwards(module: str) -> None:
    upwards = [name for name in GRAPH[module] if height(name) > height(module)]
    assert not upwards


def test_no_task_imports_another() -> None:
    wrong = {
        (module, name)
        for module, names in GRAPH.items()
        for name in names
        if task_of(module) and task_of(name) not in (None, task_of(module))
    }
    assert not wrong


def test_nothing_outside_imports_a_task() -> None:
    allowed = {f"pipelines.{task}": {f"{TASKS}{task}.pipeline"} for task in task_names()}
    wrong = {
        module: names
        for module in MODULES
        if not task_of(module)
        and (names := {name for name in GRAPH[module] if task_of(name)} - allowed.get(module, set()))
    }
    assert not wrong


def test_what_stands_outside_tasks_is_shared_or_public() -> None:
    by_task = {
        task: set().union(*(reached(name) for name in MODULES if task_of(name) == task)) for task in task_names()
    }
    public = set().union(*(reached(name) for name in SHARED_ROOTS))
    alone = {
        module: tasks
        for module, path in MODULES.items()
        if module.startswith("rnnapps.") and not task_of(module) and path.name != "__init__.py" and module not in public
        if len(tasks := [task for task, names in by_task.items() if module in names]) < 2
    }
    alone.pop("rnnapps.__main__", None)
    assert not alone, "a module that one task needs belongs in its folder; a public one into PUBLIC, with its reason"


def test_every_exception_is_still_one() -> None:
    assert set(PUBLIC) <= set(MODULES)


@pytest.mark.parametrize("module", [name for name in MODULES if not task_of(name) and part(name) != "pipelines"])
def test_nothing_outside_tasks_names_a_task(module: str) -> None:
    text = MODULES[module].read_text(encoding="utf-8").replace("rnnapps.decoding", "")
    names = [task for task in task_names() if re.search(rf"\b{task}\b", text)]
    groups = [group for group in OWN_GROUPS if re.search(rf"[\"'`]{group}[\"'`.]|--{group}\b|config\.{group}\b", text)]
    assert not names + groups


@pytest.mark.parametrize("folder", sorted({path.parent for name, path in MODULES.items() if task_of(name)}))
def test_a_task_is_not_cut_into_crumbs(folder: Path) -> None:
    files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(files) > 2 or folder.name == "data"


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_load_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
