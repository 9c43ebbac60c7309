"""Generated tables with the faults that real ones have."""

from __future__ import annotations

import random

from hypothesis import strategies as st

__all__ = ["FAULTS", "tables"]


def _cells(rows: int, columns: int, seed: int) -> list[list[str]]:
    draw = random.Random(seed)
    return [
        [f"2024-01-{1 + row // 24:02d} {row % 24:02d}:00", *(f"{draw.gauss(0, 10):.3f}" for _ in range(columns))]
        for row in range(rows)
    ]


def _nothing(cells: list[list[str]], draw: random.Random) -> None:
    """The good table."""


def _repeat(cells: list[list[str]], draw: random.Random) -> None:
    cells.insert(draw.randrange(len(cells) + 1), list(draw.choice(cells)))


def _missing(cells: list[list[str]], draw: random.Random) -> None:
    column, start = draw.randrange(1, len(cells[0])), draw.randrange(len(cells))
    for row in cells[start : start + draw.randrange(1, 40)]:
        row[column] = draw.choice(["", "NA", "nan", "NaN", "null", "-", "?"])


def _constant(cells: list[list[str]], draw: random.Random) -> None:
    column = draw.randrange(1, len(cells[0]))
    for row in cells:
        row[column] = "7.5"


def _text(cells: list[list[str]], draw: random.Random) -> None:
    draw.choice(cells)[draw.randrange(1, len(cells[0]))] = draw.choice(["off", "n.v.", "1.2.3", "#REF!", "12 %", "--"])


def _few(cells: list[list[str]], draw: random.Random) -> None:
    del cells[draw.randrange(4) :]


def _decimal_commas(cells: list[list[str]], draw: random.Random) -> None:
    for row in cells if draw.random() < 0.5 else [draw.choice(cells)]:
        for column in range(1, len(row)):
            row[column] = row[column].replace(".", ",")


def _short_line(cells: list[list[str]], draw: random.Random) -> None:
    draw.choice(cells).pop()


def _long_line(cells: list[list[str]], draw: random.Random) -> None:
    draw.choice(cells).append("1")


def _future(cells: list[list[str]], draw: random.Random) -> None:
    cells[-1][0] = draw.choice(["2199-01-01 00:00", "2999-01-01", "9999-12-31", "12024-01-01"])


def _no_time(cells: list[list[str]], draw: random.Random) -> None:
    draw.choice(cells)[0] = draw.choice(["", "soon", "2024-13-01", "2024-02-30", "01/02/2024", "1704067200"])


def _gap(cells: list[list[str]], draw: random.Random) -> None:
    del cells[draw.randrange(len(cells))]


def _shuffle(cells: list[list[str]], draw: random.Random) -> None:
    draw.shuffle(cells)


def _huge(cells: list[list[str]], draw: random.Random) -> None:
    draw.choice(cells)[1] = draw.choice(["1e39", "-1e400", "inf", "1e308", "0x1F"])


FAULTS = {
    "nothing": _nothing,
    "repeat": _repeat,
    "missing": _missing,
    "constant": _constant,
    "text": _text,
    "few": _few,
    "decimal_commas": _decimal_commas,
    "future": _future,
    "no_time": _no_time,
    "gap": _gap,
    "shuffle": _shuffle,
    "huge": _huge,
    "short_line": _short_line,
    "long_line": _long_line,
}
"""Those that change the number of columns come last, and are put in last."""


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A CSV file with up to three faults, any separator, quotes and line ends."""
    seed = draw(st.integers(0, 2**32))
    chance = random.Random(seed)
    cells = _cells(draw(st.integers(1, 120)), draw(st.integers(1, 3)), seed)
    for name in sorted(draw(st.lists(st.sampled_from(list(FAULTS)), max_size=3, unique=True)), key=list(FAULTS).index):
        if cells:
            FAULTS[name](cells, chance)
    separator = draw(st.sampled_from([",", ";", "\t", "|", " ", ":"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    header = ["time", "a", "b", "c"][
        : draw(st.integers(2, 4)) if chance.random() < 0.05 else max(map(len, cells), default=2)
    ]
    quote = chance.random() < 0.2
    lines = [separator.join(f'"{cell}"' if quote else cell for cell in row) for row in [header, *cells]]
    cut = chance.random() < 0.1
    text = end.join(lines) + end
    return text[: chance.randrange(len(text))] if cut else text
