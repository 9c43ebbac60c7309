"""Training and scoring a character model through the command line: what it learns, and whether the figures hold."""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnapps.preprocessing.characters import CharacterVocabulary
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.text import joined, read_splits
from rnnapps.training.run import RunFolder
from rnnapps.training.state import read_weights
from tests.tasks.text_generation.small import WORDS, answer, gru_logits, succeed


@pytest.fixture(scope="module")
def evaluation(run: Path) -> dict[str, Any]:
    """What `evaluate --json` says of the run and its validation text."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        succeed("evaluate", "--run", run, "--json")
    return dict(json.loads(printed.getvalue()))


def nats(run: Path, text: str) -> float:
    """Nats per character of a text, scored in one stretch by NumPy with the run's best weights."""
    ids = CharacterVocabulary.load(run / "preprocessing").encode_all([text]).astype(int)
    logits = gru_logits(read_weights(RunFolder(run))[1], ids[:-1])
    scores = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return float(-scores[np.arange(len(scores)), ids[1:]].mean())


def entropy(text: str) -> float:
    """Nats per character of a text whose words are drawn uniformly: no model can do better, but for luck."""
    return math.log(len(WORDS)) * text.count(" ") / len(text)


def unigram_nats(train: str, held_out: str) -> float:
    """Nats per character under the character frequencies of the training text."""
    counts = Counter(train)
    return -sum(math.log(counts[character] / len(train)) for character in held_out[1:]) / (len(held_out) - 1)


def test_it_learns_a_text_down_to_its_entropy(run: Path, text: Path, evaluation: dict[str, Any]) -> None:
    result = evaluation
    validation = joined(read_splits(TextDataConfig(source=str(text))).validation)
    assert entropy(validation) * 0.98 < result["nats_per_character"] < entropy(validation) * 1.04
    assert result["bits_per_character"] == pytest.approx(result["nats_per_character"] / math.log(2))
    assert (result["examples"], result["split"]) == (len(validation) - 1, "validation")
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [75, 150]
    best = min(row["validation_nats_per_character"] for row in rows)
    assert result["nats_per_character"] == pytest.approx(best, rel=1e-6)
    assert 0 < rows[0]["elapsed_seconds"] < rows[1]["elapsed_seconds"]


def test_evaluation_agrees_with_numpy(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held_out = tmp_path / "held_out.txt"
    held_out.write_text(
        "zoo river über knight crâne jasmine xylophone naïve zoo \u2603 river knight ", encoding="utf-8"
    )
    result = answer(capsys, "evaluate", "--run", run, "--data.test", held_out)
    content = held_out.read_text(encoding="utf-8")
    assert (result["examples"], result["split"]) == (len(content) - 1, "test")
    assert result["nats_per_character"] == pytest.approx(nats(run, content), rel=1e-5)
    assert result["diagnostics"]["unknown_characters"] == 1


def test_scoring_in_stretches_loses_next_to_nothing(run: Path, text: Path, evaluation: dict[str, Any]) -> None:
    """The validation text is read in parallel stretches, each warmed up by one window; NumPy reads it in one."""
    splits = read_splits(TextDataConfig(source=str(text)))
    train, validation = joined(splits.train), joined(splits.validation)
    result = evaluation
    assert result["nats_per_character"] == pytest.approx(nats(run, validation), rel=2e-3)
    unigram = result["baselines"]["unigram"]["nats_per_character"]
    assert unigram == pytest.approx(unigram_nats(train, validation), rel=1e-3)
    assert result["nats_per_character"] < 0.2 * unigram
    (name,) = set(result["baselines"]) - {"unigram"}
    best = result["baselines"][name]["nats_per_character"]
    assert name.endswith("-gram Kneser-Ney") and 3 <= int(name.split("-")[0]) <= 12
    assert entropy(validation) * 0.98 < best < entropy(validation) * 1.04


@pytest.mark.usefixtures("evaluation")
def test_the_report_shows_the_table_the_curves_and_the_samples(run: Path) -> None:
    report = (run / "report.html").read_text(encoding="utf-8")
    for part in ("unigram", "-gram Kneser-Ney", "nats per character", "data:image/svg+xml;base64", "xylophone"):
        assert part in report, part


def test_inspect_draws_gradients_and_gates(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = answer(capsys, "inspect", "--run", run)
    assert {Path(picture).stem for picture in result["pictures"]} == {"gradient_through_time", "gates"}
    for picture in result["pictures"]:
        assert Path(picture).read_bytes().startswith(b"\x89PNG")
