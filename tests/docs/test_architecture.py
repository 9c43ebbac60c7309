"""The page about the architecture: its picture is that of the code, what it names exists, and its example runs."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.draw_architecture import PICTURE, draw
from docs.house import MODULES, ROOT, levels, task_names

PAGE = ROOT / "docs" / "architecture.md"
SIZE = re.compile(r">([\d,]+) lines<")
CLOSE = 0.2
"""How far the number of lines in the picture may be from the truth before it must be drawn again."""


def blocks() -> list[str]:
    """The paragraphs and the rows of tables of the page, without its code."""
    text = re.sub(r"^```.*?^```$", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.split(r"\n\n|\n(?=[|-])", text)


def spans(block: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", block)


def paths(block: str) -> Iterator[Path]:
    """Files and folders that a block names; those of any task as those of all."""
    for span in spans(block):
        if re.fullmatch(r"[\w<>./]+(/|\.py|\.md)", span) and "/" in span.rstrip("/"):
            yield from {ROOT / span.replace("<task>", task) for task in task_names()}


def definitions(path: Path) -> set[str]:
    """Functions, classes and `Class.method`s of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.ClassDef
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    methods = {f"{each.name}.{node.name}" for each in classes for node in each.body if isinstance(node, kinds)}
    return methods | {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_the_picture_is_that_of_the_code() -> None:
    shown, made = PICTURE.read_text(encoding="utf-8"), draw()
    remedy = "the house has changed: python -m docs.draw_architecture"
    assert SIZE.sub("> lines<", shown) == SIZE.sub("> lines<", made), remedy
    sizes = [[int(size.replace(",", "")) for size in SIZE.findall(picture)] for picture in (shown, made)]
    assert len(sizes[0]) == len(task_names()) + sum(map(len, levels()))
    assert sizes[0] == pytest.approx(sizes[1], rel=CLOSE), remedy


def test_every_path_on_the_page_exists() -> None:
    named = [path for block in blocks() for path in paths(block)]
    assert len(named) > 50
    assert not [str(path) for path in named if not path.exists()]


def test_every_function_on_the_page_is_where_it_says() -> None:
    """A paragraph that names `function()` also names the file that defines it, or the one before it does."""
    known: set[str] = set()
    missing, count = [], 0
    for block in blocks():
        known |= {name for path in paths(block) if path.suffix == ".py" for name in definitions(path)}
        calls = [span.removesuffix("()") for span in spans(block) if span.endswith("()")]
        missing += [name for name in calls if name not in known]
        count += len(calls)
    assert count > 20
    assert not missing


def test_every_dotted_name_on_the_page_exists() -> None:
    dotted = [span for block in blocks() for span in spans(block) if re.fullmatch(r"(rnnapps|docs)(\.\w+)+", span)]
    assert dotted
    assert not [name for name in dotted if not _exists(name)]


def _exists(dotted: str) -> bool:
    module, _, name = dotted.rpartition(".")
    if dotted in MODULES or (ROOT / f"{dotted.replace('.', '/')}.py").is_file():
        return True
    return module in MODULES and hasattr(importlib.import_module(module), name)


@pytest.mark.slow
def test_the_example_runs_as_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rnnapps.verbs.reporting.refresh_report", lambda *_, **__: tmp_path / "report.html")
    text = PAGE.read_text(encoding="utf-8")
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried == text.count(">>> ") > 20
    assert failed == 0
