"""The commands that documentation shows, found in its fenced blocks of shell and in the headers of configurations."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

__all__ = ["commands_of"]

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
SHELLS = ("console", "bash", "sh", "shell")
ENDS = ("&&", "||", ";", "|", ">", ">>", "2>")


def commands_of(path: Path) -> list[list[str]]:
    """The words of every command of `python -m pipelines...`, `rnnapps` and `make` in a document, in order.

    A command ends where the shell would end it, or send its output elsewhere; continued lines are one command.
    """
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        header = re.match(r"(#.*\n)+", content)
        shown = [re.sub(r"^# ?", "", header[0], flags=re.MULTILINE)] if header else []
    else:
        shown = [block for language, block in FENCE.findall(content) if language in SHELLS]
    return [
        words for block in shown for line in block.replace("\\\n", " ").splitlines() for words in _ours(line.strip())
    ]


def _ours(line: str) -> Iterator[list[str]]:
    if not re.match(r"(\$ )?[\w./$=-]+", line):
        return
    try:
        words = shlex.split(line.removeprefix("$ "), comments=True)
    except ValueError:
        return  # a sentence with an apostrophe
    command: list[str] = []
    for word in [*words, ";"]:
        if word not in ENDS:
            command.append(word)
            continue
        while command and re.fullmatch(r"[A-Z_]+=.*", command[0]):
            command = command[1:]
        program = Path(command[0]).name if command else ""
        module = command[1:2] == ["-m"] and command[2].startswith("pipelines.")
        if program in ("make", "rnnapps") or (program.startswith("python") and module):
            yield [program, *command[1:]]
        command = []
