"""What a page of the documentation mentions: files, folders, functions and dotted names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docs.house import ROOT, task_names

__all__ = ["blocks", "dotted_names", "paths", "spans"]


def blocks(page: Path) -> list[str]:
    """The paragraphs and the rows of tables of a page, without its code."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.split(r"\n\n|\n(?=[|-])", text)


def spans(block: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`\n]+)`", block)


def paths(block: str) -> Iterator[Path]:
    """Files and folders of this repository that a block names; those of any task as those of all."""
    for span in spans(block):
        if re.fullmatch(r"(rnnapps|docs|tests|benchmarks|pipelines)/[\w<>./]*", span):
            yield from {ROOT / span.replace("<task>", task) for task in task_names()}


def dotted_names(text: str) -> set[str]:
    """Names of ours in backticks, such as `rnnapps.cells.Cell`; calls without their arguments."""
    return set(re.findall(r"`((?:rnnapps|docs|benchmarks)(?:\.\w+)+)[`(]", text))
