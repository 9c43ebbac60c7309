"""What the documentation mentions exists: links, files, folders and names of Python."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from docs.house import ROOT
from tests.docs.mentions import blocks, dotted_names, paths

PAGES = [ROOT / "README.md", ROOT / "saved_models" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "_build" not in page.parts]


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or is found in one."""
    module, _, rest = name.rpartition(".")
    path = ROOT / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    try:
        return hasattr(importlib.import_module(module), rest)
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_all_that_a_page_mentions_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not [str(path) for block in blocks(page) for path in paths(block) if not path.exists()]
    assert not [name for name in dotted_names(text) if not exists(name)]
    links = [target for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in target]
    assert not [target for target in links if not (page.parent / target).exists()]


def test_names_that_do_not_exist_are_told() -> None:
    assert exists("rnnapps.cells.lstm")
    assert exists("rnnapps.export.inference.load_for_inference")
    assert not exists("rnnapps.cells.lstn")
    assert not exists("rnnapps.serving.inference")
    assert dotted_names("`rnnapps.load(RUN)`, `rnnapps.cells`, rnnapps.text") == {"rnnapps.load", "rnnapps.cells"}
