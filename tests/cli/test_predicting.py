"""Results of `predict` are printed as they come, with those that cannot be had among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rnnapps.cli import predicting
from rnnapps.cli.arguments import Arguments
from rnnapps.contract.bad_examples import BadExample

BAD = BadExample("b.wav", "is damaged")


class Answers:
    """A pipeline that looks at what was printed before it goes on."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *results: Any) -> None:
        self.capsys, self.results, self.seen = capsys, results, list[str]()

    def predict(self, fitted: object, options: object) -> Iterator[Any]:
        for result in self.results:
            self.seen.append(self.capsys.readouterr().out)
            yield result


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicting, "open_model", lambda *_: SimpleNamespace(fitted=None))


def run(answers: Answers, *, as_json: bool = False) -> int:
    arguments = Arguments(None, frozenset(), {"run": Path("r"), "json": as_json}, None)
    return predicting.predict(answers, arguments)  # type: ignore[arg-type]


def test_each_is_printed_before_the_next_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(capsys, "one", BAD, "three")
    assert run(answers) == 2
    assert answers.seen == ["", "one\n", '{"file": "b.wav", "problem": "is damaged"}\n']
    assert capsys.readouterr().out == "three\n"


def test_what_cannot_be_read_is_named_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    more = [BadExample(f"{name}.wav", "is damaged") for name in "cdef"]
    assert run(Answers(capsys, BAD)) == 2
    assert capsys.readouterr().err == "error: 1 input cannot be read: b.wav\n"
    assert run(Answers(capsys, BAD, *more)) == 2
    assert capsys.readouterr().err == "error: 5 inputs cannot be read: b.wav, c.wav, d.wav and 2 more\n"
    assert run(Answers(capsys, "one")) == 0


def test_results_of_several_lines_are_set_apart(capsys: pytest.CaptureFixture[str]) -> None:
    answers = Answers(capsys, "one", "two\nlines", "three", "four")
    assert run(answers) == 0
    whole = "".join(answers.seen) + capsys.readouterr().out
    assert whole == f"one\n{'-' * 40}\ntwo\nlines\n{'-' * 40}\nthree\nfour\n"


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Answers(capsys, "one", BAD), as_json=True) == 2
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"results": ["one", {"file": "b.wav", "problem": "is damaged"}]}
    assert printed.err.endswith("error: 1 input cannot be read: b.wav\n")
