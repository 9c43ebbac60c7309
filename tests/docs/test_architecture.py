"""The page about the architecture: its picture is that of the code, its functions exist, and its example runs."""

from __future__ import annotations

import ast
import doctest
import re
from pathlib import Path

import pytest

from docs.draw_architecture import PICTURE, draw
from docs.house import ROOT, levels, task_names
from tests.docs.mentions import blocks, paths, spans

PAGE = ROOT / "docs" / "architecture.md"
SIZE = re.compile(r">([\d,]+) lines<")
CLOSE = 0.5
"""How far the number of lines in the picture may be from the truth before it must be drawn again."""


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


def test_every_function_on_the_page_is_where_it_says() -> None:
    """A paragraph that names `function()` also names the file that defines it, or one before it does."""
    known: set[str] = set()
    missing, count = [], 0
    for block in blocks(PAGE):
        known |= {name for path in paths(block) if path.suffix == ".py" for name in definitions(path)}
        calls = [span.removesuffix("()") for span in spans(block) if span.endswith("()")]
        missing += [name for name in calls if name not in known]
        count += len(calls)
    assert count > 20
    assert not missing


@pytest.mark.slow
def test_the_example_runs_as_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rnnapps.verbs.reporting.refresh_report", lambda *_, **__: tmp_path / "report.html")
    text = PAGE.read_text(encoding="utf-8")
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried == text.count(">>> ") > 20
    assert failed == 0
