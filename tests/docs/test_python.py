"""Every block of Python in the documentation runs as it is written.

The blocks of a page run one after the other in one namespace, as a reader would paste them, in a folder that has the
files of docs/examples, a text, and small models where the page says that a command has left some. Reports, which take
seconds, are left out.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rnnapps
from tests.docs.blocks import python_blocks
from tests.tasks.command import skip_report
from tests.tasks.text_generation.small import write_words

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITH_PYTHON = [page for page in PAGES if python_blocks(page)]
TASKS = sorted(path.parent.name for path in (ROOT / "rnnapps" / "tasks").glob("*/pipeline.py"))
MOST_NOT_RUN = 2
"""Blocks that need what a test has not, such as a camera."""


SERVER = "127.0.0.1:8501"
"""Where pages expect a server."""

LOADED = re.compile(r'load(?:_for_inference)?\("((?:runs|saved_models)/text_generation(?:/\w+)?)"\)')
"""What a page loads: a run, or an export."""


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run and an export of text generation, as commands would have left them."""
    folder = tmp_path_factory.mktemp("earlier")
    small: dict[str, Any] = {"model": {"units": 8}, "batch_size": 2, "window_steps": 8, "steps": 1, "compile": "graph"}
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        model = rnnapps.train("text_generation", write_words(folder / "text.txt", 200), run=folder / "runs", **small)
    model.export(folder / "saved_models")
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader tries it: as in a session started there, files of that folder can be imported."""
    examples = [shutil.copy(path, tmp_path) for path in (ROOT / "docs" / "examples").glob("*.py")]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for path in examples:
        monkeypatch.delitem(sys.modules, Path(path).stem, raising=False)
    skip_report(monkeypatch)
    write_words(tmp_path / "mine.txt", 500)
    return tmp_path


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_a_page_runs(page: Path, folder: Path, request: pytest.FixtureRequest) -> None:
    namespace: dict[str, object] = {"__name__": "__main__"}
    blocks = [block for block in python_blocks(page) if block.reason is None]
    code = "".join(block.code for block in blocks)
    for path in set(LOADED.findall(code)):
        if f'run="{path}"' not in code:  # the page does not train it itself
            kind, *_ = Path(path).parts
            shutil.copytree(request.getfixturevalue("earlier") / kind, folder / path)
    with served(code, folder, request) as port:
        for block in blocks:
            replace(block, code=block.code.replace(SERVER, f"127.0.0.1:{port}")).run(namespace)


@contextlib.contextmanager
def served(code: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a server, where a page asks one: it serves the export that commands would have left."""
    if f'Client("http://{SERVER}' not in code:
        yield 0
        return
    from tests.serving.conftest import run_server

    shutil.copytree(request.getfixturevalue("earlier") / "saved_models", folder / "saved_models" / "text_generation")
    with contextlib.contextmanager(run_server)(folder / "saved_models") as running:
        yield running.server.port


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
