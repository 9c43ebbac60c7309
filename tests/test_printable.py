"""Nothing that a terminal, a browser or a picture obeys comes from a name or a text of strangers."""

from __future__ import annotations

import io
import sys
from typing import TextIO, cast

import pytest
from rich.console import Console

from rnnapps.cli.outcome import run_command
from rnnapps.cli.result import show_facts, show_table
from rnnapps.contract.sections import Section, Table
from rnnapps.errors import DataError
from rnnapps.printable import PrintableStream, name_list, printable, terminal
from rnnapps.reports.model_card import ModelCard, render_model_card
from rnnapps.reports.render import render_page

# Clears the screen, sets the title, writes to the clipboard, goes back, turns the direction, in C0, C1 and Unicode.
HOSTILE = "a\x1b[2J\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\rb\x08\x9b31m\x7f\u202eexe.wav\u2066"
SHOWN = r"a\x1b[2J\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x0db\x08\x9b31m\x7f\u202eexe.wav\u2066"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_shown() -> None:
    assert printable(HOSTILE) == SHOWN
    for text in ("plain\ttext\n", "über naïve Ωμέγα 日本語 👩‍🚀 עברית العربية", ""):
        assert printable(text) == text


@pytest.mark.parametrize("at_terminal", [False, True])
def test_errors_and_notes_of_commands(monkeypatch: pytest.MonkeyPatch, at_terminal: bool) -> None:
    errors, output = (Terminal() if at_terminal else io.StringIO() for _ in range(2))
    monkeypatch.setattr(sys, "stderr", errors)
    monkeypatch.setattr(sys, "stdout", output)

    def command() -> int:
        print(f"note: {HOSTILE}", file=sys.stderr)
        print(HOSTILE)
        raise DataError(HOSTILE, "is empty")

    assert run_command(command) == 2
    note, error = errors.getvalue().splitlines()
    assert note == f"note: {SHOWN}"
    in_one_line = SHOWN.replace("\\x0d", " ")
    assert error == f"error: {in_one_line}: is empty"
    # What a file or another program gets is data, character by character.
    assert output.getvalue() == f"{SHOWN if at_terminal else HOSTILE}\n"
    assert (sys.stderr, sys.stdout) == (errors, output)


def test_bars_of_progress_still_move() -> None:
    target = Terminal()
    stream = cast(TextIO, PrintableStream(target))
    stream.writelines(["\r 5%", "\n\x1b[A", "\x1b[A", "\rx\ry", "\x1b[Aname"])
    assert target.getvalue() == "\r 5%\n\x1b[A\x1b[A\rx\\x0dy\\x1b[Aname"
    assert terminal(stream) is target
    assert terminal(target) is target
    assert stream.isatty()


def test_tables_and_facts() -> None:
    target = Terminal()
    console = Console(file=target, width=200, color_system="truecolor", force_terminal=True)
    show_facts(console, {"run": HOSTILE, HOSTILE: 1})
    show_table(console, ["name", f"[red]{HOSTILE}"], [[HOSTILE, "[link=x]y"]], caption=HOSTILE)
    text = target.getvalue()
    assert text.count(SHOWN) == 5
    assert f"[red]{SHOWN}" in text and "[link=x]y" in text, "names are no markup"
    assert not {"\x07", "\r", "\x08", "\x9b", "\x7f", "\u202e"} & set(text)
    assert "\x1b[2J" not in text and "\x1b]" not in text


def test_model_cards() -> None:
    card = ModelCard("<b>x", data_source=f"<script>{HOSTILE}", facts={"classes": f"<img onerror=x>|{HOSTILE}"})
    text = render_model_card(card, signatures={}, versions={})
    assert "<" not in text
    assert printable(text) == text


def test_pages() -> None:
    hostile = f"<script>alert(1)</script>\"'>{HOSTILE}"
    page = render_page(
        "report", hostile, [Section(hostile, (Table((hostile, "b"), ((hostile, hostile),), caption=hostile),))]
    )
    assert page.count("<script>") == 1, "that of the page itself"
    assert printable(page) == page


@pytest.mark.parametrize("name", ["$\\frac{", "a$b$c", "$^$"])
def test_pictures_take_no_name_for_a_formula(name: str) -> None:
    from rnnapps.reports.plots.plot import Plot
    from rnnapps.reports.plots.theme import LIGHT

    assert Plot(lambda figure, theme: figure.suptitle(name) and None, alt=name).svg(LIGHT).startswith(b"<?xml")


def test_of_many_names_the_first_are_listed() -> None:
    assert name_list(("a", "b\x1b[2J")) == "a, b\\x1b[2J"
    assert name_list([str(number) for number in range(1500)], most=3) == "0, 1, 2 and 1,497 more"
