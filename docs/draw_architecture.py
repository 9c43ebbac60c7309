"""Draws the house, as its code has it, into `docs/architecture.svg`: `python -m docs.draw_architecture`.

Boxes and their sizes are the folders, rows are the levels of CONTRIBUTING.md, arrows are imports; only where a box
stands in its row is said here. An arrow is left out where other arrows lead there already, so that few enough remain.
"""

from __future__ import annotations

import ast
import functools
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from docs.house import DOOR, GRAPH, MODULES, ROOT, levels, part, task_names, task_of

__all__ = ["draw"]

PICTURE = ROOT / "docs" / "architecture.svg"
CENTRES = {
    "pipelines": 420, "testing": 130, "templates": 840, "cli": 110, "scoring": 350, "serving": 600, "playground": 860,
    "search": 640, "verbs": 260, "tasks": 490,
    "portable": 110, "zoo": 350, "client": 600, "certificates": 860,
    "export": 130, "reports": 560, "training": 840, "decoding": 300, "metrics": 600, "layers": 840,
    "data": 130, "preprocessing": 450, "cells": 840, "kernels": 840,
    "contract": 490, "atomic": 250, "printable": 730, "config": 100, "errors": 295,
    "types": 490, "registration": 685, "ranges": 880,
}  # fmt: skip
"""Where each box stands in its row."""
WIDTHS = {
    "cli": 190, "scoring": 190, "serving": 190, "playground": 190, "portable": 190, "zoo": 190, "client": 190,
    "certificates": 190, "tasks": 836, "contract": 940, "atomic": 440,
    "printable": 440, "config": 180, "errors": 180, "types": 180, "registration": 180, "ranges": 180,
}  # fmt: skip
BARS = ("contract", "atomic", "printable", "config", "errors", "types", "ranges")
"""What nearly everything imports: these boxes say so, and no arrow leads to them."""
WORDS = {"pipelines": "What `python -m` runs, a thin command for each task"}
"""What a folder without a docstring is."""

WIDTH, BOX_WIDTH, BOX_HEIGHT, TASKS_HEIGHT, GAP, MARGIN, LANE = 980, 220, 60, 118, 30, 16, 14
STYLE = """
text { font: 11.5px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #55606e }
.name { font-size: 14px; font-weight: 600; fill: #16202c }
.page { fill: #ffffff } .band { fill: #f3f5f8 } .box { fill: #ffffff; stroke: #8c97a5 }
.task { fill: #e9f0fd; stroke: #5b87d6 }
.arrow { fill: none; stroke: #77828f; stroke-width: 1.4 } .head { fill: #77828f }
@media (prefers-color-scheme: dark) {
text { fill: #a3aebb } .name { fill: #eef2f6 }
.page { fill: #14171a } .band { fill: #1d2126 } .box { fill: #272c33; stroke: #6b7684 }
.task { fill: #22304a; stroke: #6d97e0 } .arrow { stroke: #8d99a6 } .head { fill: #8d99a6 }
}
"""


@dataclass(frozen=True)
class Box:
    """A folder in the picture: its name, and the corner and size of its rectangle."""

    name: str
    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The end of its upper edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The height of its lower edge."""
        return self.top + self.height

    @property
    def centre(self) -> float:
        """The middle of its upper edge."""
        return self.left + self.width / 2

    def port(self, wanted: float, used: list[float]) -> float:
        """Where an arrow touches the box: near the wanted place, and off other arrows."""
        return _free(wanted, [(-1e9, self.left + 20), (self.right - 20, 1e9)], used)


def draw() -> str:
    """The picture as SVG."""
    rows = [[_box(name, number) for name in names] for number, names in enumerate(reversed(levels()))]
    height = max(box.bottom for row in rows for box in row) + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img">',
        "<title>The folders of rnnapps on their levels, and who imports whom</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>',
        f'<rect class="page" width="{WIDTH}" height="{height:g}"/>',
        *(_rectangle("band", 4, row[0].top - 8, WIDTH - 8, row[0].height + 16) for row in rows),
        *(f'<path class="arrow" marker-end="url(#head)" d="{path}"/>' for path in _paths(rows)),
        *(line for row in rows for box in row for line in _drawn(box)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


@functools.cache
def _imports() -> dict[str, frozenset[str]]:
    """Folder -> the other folders that its modules import."""
    found: dict[str, set[str]] = {name: set() for level in levels() for name in level}
    for module, names in GRAPH.items():
        if part(module) in found:
            found[part(module)] |= {part(name) for name in names} & found.keys() - {part(module)}
    return {name: frozenset(others) for name, others in found.items()}


def _arrows() -> list[tuple[str, str]]:
    """Imports between folders, without those that other arrows imply and those of what nearly everything imports."""
    imports = {name: others.difference(BARS) for name, others in _imports().items()}

    def reached(name: str) -> set[str]:
        return {name}.union(*(reached(other) for other in imports[name]))

    def implied(name: str, other: str) -> bool:
        return any(other in reached(between) for between in imports[name] - {other})

    return [(name, other) for name in imports for other in sorted(imports[name]) if not implied(name, other)]


def _box(name: str, row: int) -> Box:
    """The box of a folder, `row` rows below the top."""
    if name not in CENTRES:
        raise KeyError(f"{name}: where does its box stand in its row? docs/draw_architecture.py: CENTRES")
    tasks_row = next(number for number, names in enumerate(reversed(levels())) if "tasks" in names)
    top = MARGIN + row * (BOX_HEIGHT + GAP) + (TASKS_HEIGHT - BOX_HEIGHT) * (row > tasks_row)
    width = WIDTHS.get(name, BOX_WIDTH)
    return Box(name, CENTRES[name] - width / 2, top, width, TASKS_HEIGHT if name == "tasks" else BOX_HEIGHT)


def _paths(rows: list[list[Box]]) -> Iterator[str]:
    """The arrows as SVG paths: straight down past the boxes of a row, bent between rows."""
    places = {box.name: (number, box) for number, row in enumerate(rows) for box in row}
    used: dict[tuple[str, int | str], list[float]] = defaultdict(list)

    def order(arrow: tuple[str, str]) -> tuple[float, ...]:
        """Rows from above; of arrows from one box those to the left, and of these the short ones, first."""
        (start, _), (end, lower) = places[arrow[0]], places[arrow[1]]
        return start, lower.centre, end

    for name, other in sorted(_arrows(), key=order):
        (start, upper), (end, lower) = places[name], places[other]
        if start == end:
            left, right = (upper.right, lower.left) if upper.left < lower.left else (upper.left, lower.right)
            yield f"M{left:g} {upper.top + BOX_HEIGHT / 2:g} L{right:g} {upper.top + BOX_HEIGHT / 2:g}"
            continue
        x = upper.port(lower.centre, used["below", name])
        path = f"M{x:g} {upper.bottom:g}"
        y = upper.bottom
        for number in range(start + 1, end):
            row = rows[number]
            lane = _free(x, [(box.left - 10, box.right + 10) for box in row], used["past", number])
            path += _bend(x, y, lane, row[0].top) + f" L{lane:g} {row[0].bottom:g}"
            x, y = lane, row[0].bottom
        yield path + _bend(x, y, lower.port(x, used["above", other]), lower.top)


def _bend(x: float, y: float, to_x: float, to_y: float) -> str:
    """A piece of path that leaves and arrives vertically."""
    middle = (y + to_y) / 2
    return f" L{to_x:g} {to_y:g}" if x == to_x else f" C{x:g} {middle:g} {to_x:g} {middle:g} {to_x:g} {to_y:g}"


def _free(wanted: float, taken: Iterable[tuple[float, float]], used: list[float]) -> float:
    """The place nearest to the wanted one that lies in no taken interval and off the used places; it is used now."""
    intervals = [*taken, *((place - LANE, place + LANE) for place in used)]
    edges = [wanted, *(edge for interval in intervals for edge in interval)]
    free = [x for x in edges if 0 < x < WIDTH and not any(low < x < high for low, high in intervals)]
    used.append(min(free, key=lambda x: abs(x - wanted)))
    return used[-1]


def _drawn(box: Box) -> Iterator[str]:
    """A box with its name, its size and what it is; `tasks` with a box for each task."""
    yield _rectangle("box", box.left, box.top, box.width, box.height, radius=6)
    yield _text("name", box.left + 12, box.top + 21, box.name)
    size = _lines(module for module in MODULES if part(module) == box.name)
    yield _text("", box.right - 12, box.top + 21, size, anchor="end")
    letters = int((box.width - 24) / 6.1)
    for number, line in enumerate(_words(box.name, letters)):
        yield _text("", box.left + 12, box.top + 38 + 14 * number, line)
    if box.name == "tasks":
        yield from _drawn_tasks(box)


def _drawn_tasks(box: Box) -> Iterator[str]:
    """One small box for each task."""
    names = task_names()
    width = (box.width - 24 - 8 * (len(names) - 1)) / len(names)
    for number, name in enumerate(names):
        left, top = box.left + 12 + number * (width + 8), box.top + 50
        yield _rectangle("task", left, top, width, box.height - 62, radius=5)
        first, _, second = name.partition("_")
        for line, words in enumerate([f"{first}_", second] if second else [first]):
            yield _text("name", left + 8, top + 17 + 15 * line, words, size=12)
        yield _text("", left + 8, top + 49, _lines(module for module in MODULES if task_of(module) == name))


def _rectangle(kind: str, left: float, top: float, width: float, height: float, *, radius: int = 4) -> str:
    return f'<rect class="{kind}" x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="{radius}"/>'


def _text(kind: str, x: float, y: float, words: str, *, anchor: str = "", size: int = 0) -> str:
    kinds = {"class": kind, "x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor}
    kinds["style"] = f"font-size: {size}px" if size else ""
    attributes = " ".join(f'{name}="{value}"' for name, value in kinds.items() if value)
    return f"<text {attributes}>{escape(words, quote=False)}</text>"


def _lines(modules: Iterable[str]) -> str:
    """How many lines modules have, to two digits: the picture need not change with every line."""
    count = sum(len(MODULES[module].read_text(encoding="utf-8").splitlines()) for module in modules)
    digits = max(len(str(count)) - 2, 0)
    return f"{round(count, -digits):,} lines"


def _words(name: str, letters: int) -> list[str]:
    """What a folder is: as much of its docstring's first line as fits into two lines of the picture."""
    docstring = ast.get_docstring(_tree(name)) if f"{DOOR}.{name}" in MODULES else WORDS[name]
    line = str(docstring).splitlines()[0].rstrip(".").replace("`", "")
    head, _, rest = line.partition(": ")
    whole = rest if head.lower().removeprefix("the ") == name else line
    shorter = [whole.partition(mark)[0] for mark in (": ", "; ", ", ")]
    texts = [words[:1].upper() + words[1:] + _users(name) for words in (whole, *shorter)]
    fitting = [text for text in texts if len(textwrap.wrap(text, letters)) <= 2]
    return textwrap.wrap((fitting or texts[-1:])[0], letters, max_lines=2, placeholder=" …")


def _tree(name: str) -> ast.Module:
    return ast.parse(MODULES[f"{DOOR}.{name}"].read_text(encoding="utf-8"))


def _users(name: str) -> str:
    """Who imports what nearly everything imports."""
    if name not in BARS:
        return ""
    users = sorted(other for other, names in _imports().items() if name in names)
    return "; everything may import it" if name in levels()[0] else f"; imported by {', '.join(users)}"


def main(path: Path = PICTURE) -> None:
    """Writes the picture."""
    path.write_text(draw(), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
