"""The Python that documentation shows: its fenced blocks, and which of them are not to be run, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Block", "python_blocks"]

FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]*?) *-->\s*\n)?^```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^```[ ]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block of Python.

    Attributes:
        code: what stands in it, behind as many empty lines as put it on its line of the page.
        page: the page.
        reason: why it is not run; None where it is.
    """

    code: str
    page: Path
    reason: str | None

    def run(self, namespace: dict[str, object]) -> None:
        """Runs it; errors name the page and its line."""
        exec(compile(self.code, str(self.page), "exec"), namespace)


def python_blocks(page: Path) -> list[Block]:
    """The blocks of a page in their order; `<!-- not run: REASON -->` on the line before one says why it is not run."""
    text = page.read_text(encoding="utf-8")
    return [
        Block("\n" * text.count("\n", 0, match.start("code")) + match["code"], page, match["reason"])
        for match in FENCE.finditer(text)
        if match["language"] == "python"
    ]
