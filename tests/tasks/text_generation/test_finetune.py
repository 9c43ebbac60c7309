"""Fine-tuning through the command line: what is taken over, what grows, what stays, and that it pays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rnnapps.training.run import RunFolder
from rnnapps.training.state import read_weights
from tests.tasks.text_generation.small import SETTINGS, WORDS, answer, complaint, weights_at, write_words

QUICK = ("--training.compile=graph", "--training.schedule=constant", "--training.warmup_steps=0")
EMBEDDING, KERNEL, BIAS = "embedding/embeddings", "logits/kernel", "logits/bias"

pytestmark = pytest.mark.usefixtures("without_report")


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small text of the same words and a few others, with characters the model never saw: `!fqu`."""
    words = (*WORDS, "quiff!", "zoo!")
    return write_words(tmp_path_factory.mktemp("mine") / "mine.txt", 150, seed=9, words=words)


@pytest.mark.parametrize("origin", ["run", pytest.param("exported", marks=pytest.mark.slow)])
def test_known_characters_keep_their_weights(
    origin: str, mine: Path, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = request.getfixturevalue(origin), tmp_path / "mine"
    asked = ["--from", source, "--data.source", mine, "--run", target, *QUICK, "--freeze", "recurrent"]
    result = answer(capsys, "finetune", *asked, "--training.steps", 1, "--training.evaluate_every", 1)
    transfer = result["transfer"]
    assert transfer["grown"] == {EMBEDDING: 4, KERNEL: 4, BIAS: 4}
    assert all(path.startswith("recurrent/") for path in (*transfer["loaded"], *transfer["frozen"]))
    assert not transfer["reset"]
    assert not transfer["unused"]
    old = read_weights(RunFolder(request.getfixturevalue("run")))[1]
    first, trained = weights_at(target, 0), weights_at(target, 1)
    known = len(old[BIAS])
    for path, axis in {EMBEDDING: 0, KERNEL: 1, BIAS: 0}.items():
        kept, new = np.split(first[path], [known], axis=axis)
        assert kept.tobytes() == np.ascontiguousarray(old[path]).tobytes(), path
        assert new.shape[axis] == 4
        assert (trained[path] != first[path]).any(), path
    for path in transfer["frozen"]:
        assert old[path].tobytes() == first[path].tobytes() == trained[path].tobytes(), path
    characters = [
        json.loads((folder / "preprocessing" / "characters.json").read_text())["characters"]
        for folder in (source / "assets.extra" if origin == "exported" else source, target)
    ]
    assert characters[1] == characters[0] + "!fqu"


def test_it_beats_training_from_scratch(
    run: Path, mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schedule = (*QUICK, "--training.steps=12", "--training.evaluate_every=12", "--training.batch_size=8")
    nats = {}
    for verb, start in (("finetune", ["--from", run]), ("train", SETTINGS)):
        asked = [*start, "--data.source", mine, "--run", tmp_path / verb, *schedule]
        nats[verb] = answer(capsys, verb, *asked)["validation_nats_per_character"]
    assert nats["finetune"] < 0.75 * nats["train"]


def test_bad_sources_are_one_line(run: Path, mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "mine"
    asked = ("--data.source", mine, "--run", target)
    (tmp_path / "empty").mkdir()
    assert "no such folder" in complaint(capsys, "finetune", "--from", tmp_path / "none", *asked)
    assert str(tmp_path / "empty") in complaint(capsys, "finetune", "--from", tmp_path / "empty", *asked)
    frozen = complaint(capsys, "finetune", "--from", run, *asked, "--freeze", "recurent")
    assert "no layer is called 'recurent'; the nearest is 'recurrent'" in frozen
    assert not (target / "config.yaml").exists()
