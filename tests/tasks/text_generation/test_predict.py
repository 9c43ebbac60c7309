"""Writing text through the command line: determinism, the rules of sampling, and streams."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rnnapps.cli.pipeline_cli import main
from rnnapps.errors import DataError
from rnnapps.preprocessing.characters import CharacterVocabulary
from rnnapps.tasks.text_generation.pipeline import PIPELINE
from rnnapps.tasks.text_generation.prompt_lines import prompts_of
from rnnapps.training.run import RunFolder
from rnnapps.training.state import read_weights
from tests.tasks.text_generation.small import WORDS, answer, complaint, gru_logits

Predict = Callable[..., list[str]]


@pytest.fixture
def predict(run: Path, capsys: pytest.CaptureFixture[str]) -> Predict:
    return lambda *argv: list(answer(capsys, "predict", "--run", run, *argv)["results"])


def test_the_same_seed_writes_the_same_and_every_sample_its_own(predict: Predict) -> None:
    asked = ("--prompt", "zoo ", "--length", 60, "--temperature", 1.0)
    three = predict(*asked, "--seed", 5, "--samples", 3)
    assert [len(text) for text in three] == [64, 64, 64]
    assert all(text.startswith("zoo ") for text in three)
    assert len(set(three)) == 3
    assert predict(*asked, "--seed", 7) == [three[2]]  # sample i has the seed of the first plus i
    assert set("".join(three)) <= set("".join(WORDS) + " ")


def test_temperature_zero_takes_the_likeliest_character_each_time(run: Path, predict: Predict) -> None:
    vocabulary = CharacterVocabulary.load(run / "preprocessing")
    weights, text = read_weights(RunFolder(run))[1], "river "
    for _ in range(12):
        logits = gru_logits(weights, vocabulary.encode_all([text]).astype(int))[-1]
        text += vocabulary.characters[int(np.argmax(logits[1:]))]
    asked = ("--prompt", "river ", "--length", 12)
    assert predict(*asked, "--temperature", 0, "--samples", 2) == [text, text]
    assert predict(*asked, "--temperature", 1.3, "--top_k", 1) == [text]
    assert predict(*asked, "--temperature", 1.3, "--top_p", 1e-6) == [text]


def test_top_p_keeps_the_nucleus_only(predict: Predict) -> None:
    """At this temperature all characters are about equally likely, unless the nucleus is cut first."""
    asked = ("--prompt", "x", "--length", 200, "--temperature", 50)
    free, cut = (predict(*asked, "--top_k", k)[0] for k in (0, 2))
    assert len(set(free)) > 15
    assert {cut[1]} < set("".join(WORDS))
    assert cut != free


def test_it_stops_before_the_stop_string(predict: Predict) -> None:
    whole = predict("--prompt", "xyl", "--length", 80)[0]
    stop = whole[3:].split(" ")[2]  # a word the text comes to
    assert predict("--prompt", "xyl", "--length", 80, "--stop", stop) == [whole[: whole.index(stop, 3)]]


def test_a_stream_says_what_predict_says(run: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    for asked in (["--prompt", "zoo", "--length", "45", "--top_p", "0.9"], ["--stop", "e ", "--length", "30"]):
        expected = predict(*asked)
        assert main(PIPELINE, ["stream", "--run", str(run), *asked]) == 0
        assert capsys.readouterr().out == f"{expected[0]}\n"


def test_prompts_of_a_file(run: Path, predict: Predict, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is answered as alone, a line of JSON each."""
    file = tmp_path / "prompts.txt"
    file.write_text("\ufeffzoo kni\r\n\nriver ", encoding="utf-8")
    asked = ("--length", 8, "--seed", 3)
    alone = predict("--prompt", "river ", *asked)
    assert main(PIPELINE, ["predict", "--run", str(run), "--prompts", str(file), *map(str, asked)]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["prompt"] for one in found] == ["zoo kni", "", "river "]
    assert found[2]["prompt"] + found[2]["text"] == alone[0] and all(len(one["text"]) == 8 for one in found)
    told = complaint(capsys, "predict", "--run", run, "--prompts", file, "--prompt", "zoo")
    assert "prompt and prompts both say what to continue" in told


def test_files_that_hold_no_prompts_are_told(tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    for content, problem in ((b"zoo\nna\xefve\n", "line 2 is not UTF-8 text"), (b"", "holds no line")):
        file.write_bytes(content)
        with pytest.raises(DataError, match=f"prompts.txt: {problem}"):
            prompts_of(str(file))


def test_rules_against_repetition(run: Path, predict: Predict, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--prompt", "zoo ", "--length", 60, "--temperature", 0)
    (ruled,) = predict(*asked, "--no_repeat", 6)
    written = ruled.removeprefix("zoo ")
    sixes = [written[start : start + 6] for start in range(len(written) - 5)]
    assert len(set(sixes)) == len(sixes)
    assert main(PIPELINE, ["stream", "--run", str(run), *map(str, asked), "--no_repeat", "6"]) == 0
    assert capsys.readouterr().out == f"{ruled}\n"
    assert "no_repeat must be from 0 to 16" in complaint(capsys, "predict", "--run", run, "--no_repeat", 17)


def test_completions_are_the_likeliest_ends(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(PIPELINE, ["predict", "--run", str(run), "--prompt", "zoo kni", "--completions", "3"]) == 0
    (found,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found["prompt"] == "zoo kni" and found["completions"][0]["text"] == "ght"
    assert found["completions"][0]["probability"] > 0.9 > 0.1 > found["completions"][1]["probability"]
    assert "until says where completions end" in complaint(capsys, "predict", "--run", run, "--until", "line")


def test_unknown_characters_are_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--prompt", "☃zoo☃é", "--stop", "☃", "--length", "3"]
    assert main(PIPELINE, ["predict", "--run", str(run), *asked]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("☃zoo☃é")
    assert "prompt: characters unknown to the model: '☃' (2), 'é' (1); read as the unknown character" in captured.err
    assert "stop: characters unknown to the model: '☃' (1); it is never written" in captured.err


def test_the_likeliest_words_are_those_of_the_text(predict: Predict) -> None:
    """A model that learned the text writes its words and no others, about equally often."""
    written = predict("--prompt", "zoo ", "--length", 2000, "--temperature", 1.0, "--seed", 1)[0].split()[:-1]
    share = sum(word in WORDS for word in written) / len(written)
    assert share > 0.95
    counts = np.array([written.count(word) for word in WORDS])
    deviation = math.sqrt(len(written) / len(WORDS))
    assert np.abs(counts - len(written) / len(WORDS)).max() < 5 * deviation


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (["--length", "0"], "length must be from 1 to 10,000, not 0"),
        (["--length", "-3"], "length must be from 1 to 10,000, not -3"),
        (["--length", "many"], "--length must be"),
        (["--temperature", "-1"], "temperature must be at least 0, not -1"),
        (["--temperature", "nan"], "--temperature must be a number, not 'nan'"),
        (["--top_p", "0"], "top_p must be above 0 and at most 1"),
        (["--top_k", "-1"], "top_k must be at least 0"),
        (["--samples", "0"], "samples must be from 1 to 1,000"),
        (["--seed", str(2**63)], "seed must be a number of 64 bits, not 9223372036854775808"),
        (["--prompt", "caf\udce9"], "prompt must be Unicode text, not 'caf\\udce9'; give it in UTF-8"),
        (["--stop", "\udce9"], "stop must be Unicode text"),
        (["--promt", "a"], "unknown flag '--promt'; did you mean '--prompt'?"),
    ],
)
def test_bad_requests_are_one_line(
    asked: list[str], problem: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert problem in complaint(capsys, "predict", "--run", run, *asked)


def test_bad_streams_are_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "length must be from 1" in complaint(capsys, "stream", "--run", run, "--length", "0")


def test_an_empty_prompt_and_any_seed_will_do(predict: Predict) -> None:
    assert len(predict("--length", 5, "--seed", -5)[0]) == 5
