"""Every block of Python in the documentation runs as it is written.

The blocks of a page run one after the other in one namespace, as a reader would paste them, in an empty folder that has
the files of docs/examples. Reports, which take seconds, are left out.
"""

from __future__ import annotations

import re
import shutil
import sys
import traceback
from pathlib import Path

import pytest

from tests.docs.blocks import python_blocks
from tests.tasks.command import skip_report

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITH_PYTHON = [page for page in PAGES if python_blocks(page)]
TASKS = sorted(path.parent.name for path in (ROOT / "rnnapps" / "tasks").glob("*/pipeline.py"))
MOST_NOT_RUN = 2
"""Blocks that need what a test has not, such as a camera."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader tries it: as in a session started there, files of that folder can be imported."""
    examples = [shutil.copy(path, tmp_path) for path in (ROOT / "docs" / "examples").glob("*.py")]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for path in examples:
        monkeypatch.delitem(sys.modules, Path(path).stem, raising=False)
    skip_report(monkeypatch)
    return tmp_path


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: str(page.relative_to(ROOT)))
@pytest.mark.usefixtures("folder")
def test_the_python_of_a_page_runs(page: Path) -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in python_blocks(page):
        if block.reason is None:
            block.run(namespace)


def test_little_is_left_out_and_never_without_a_reason() -> None:
    reasons = [block.reason for page in PAGES for block in python_blocks(page) if block.reason is not None]
    assert len(reasons) <= MOST_NOT_RUN, reasons
    assert all(len(reason.split()) >= 3 for reason in reasons), reasons


@pytest.mark.parametrize("task", TASKS)
def test_every_task_shows_its_use_in_python(task: str) -> None:
    text = (ROOT / "docs" / f"{task}.md").read_text(encoding="utf-8")
    section = re.search(r"^## In Python$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"docs/{task}.md: no section 'In Python'"
    code = "".join(block.code for block in python_blocks(ROOT / "docs" / f"{task}.md"))
    assert "```python\n" in section[1] and "rnnapps.train(" in code and ".predict(" in code


def test_blocks_are_found_with_their_lines_and_reasons(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n```python\na = 1\n```\n\n```sh\nrun this\n```\n<!-- not run: it needs a camera -->\n```python\n"
        "a = b\n```\n\n<!-- a remark -->\n```python\nc = a + 1\n\nraise ValueError(c)\n```\n"
    )
    first, second, third = python_blocks(page)
    assert (first.code.strip(), first.reason) == ("a = 1", None)
    assert (second.code.strip(), second.reason) == ("a = b", "it needs a camera")
    assert third.reason is None
    namespace: dict[str, object] = {}
    first.run(namespace)
    with pytest.raises(ValueError, match="2") as caught:
        third.run(namespace)
    assert traceback.extract_tb(caught.tb)[-1][:2] == (str(page), page.read_text().split("raise")[0].count("\n") + 1)
