from __future__ import annotations

import io
import sys

import pytest

from rnnapps.verbs.status import status


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_what_is_being_done(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with status("reading [a] batch") as say:
        say("counting [b] operations")
    shown = terminal.getvalue()
    assert "counting [b] operations" in shown


def test_nothing_is_shown_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with status("reading") as say:
        say("counting")
    assert capsys.readouterr() == ("", "")
