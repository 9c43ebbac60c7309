"""Sources, resumption and bad input of the text generation pipeline, through the command line."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.tasks.command import skip_report
from tests.tasks.text_generation.small import (
    SETTINGS,
    WORDS,
    answer,
    complaint,
    succeed,
    sums,
    weights_at,
    write_words,
)

QUICK = (*SETTINGS, "--training.compile=graph", "--training.schedule=constant", "--training.evaluate_every=2")
SHAKESPEARE = Path(__file__).parents[3].parent / "shared/data/text/tinyshakespeare.txt"

pytestmark = pytest.mark.usefixtures("without_report")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of texts, in two formats and at two depths."""
    folder = tmp_path_factory.mktemp("folder") / "texts"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(("b.txt", "a.txt", "more/c.md")):
        write_words(folder / name, 100, seed=number, words=(*WORDS, f"{number}{number}"))
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


@pytest.fixture(scope="module")
def begun(texts: Path) -> Path:
    """A run of one step on them."""
    folder = texts.parent / "run"
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        succeed("train", "--run", folder, "--data.source", texts, *QUICK, "--training.steps", 1)
    return folder


@pytest.mark.slow
def test_a_run_goes_on_as_if_it_had_never_stopped(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder, steps in ((whole, 4), (parts, 2), (parts, 4)):
        capsys.readouterr()
        succeed("train", "--run", folder, "--data.source", text, *QUICK, "--training.steps", steps)
    told = capsys.readouterr().err
    assert "training.steps changes from 2 to 4" in told
    assert "resuming at step 2" in told
    left, right = weights_at(whole, 4), weights_at(parts, 4)
    assert all(left[name].tobytes() == right[name].tobytes() for name in left | right)


def test_a_run_grows(begun: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "run"
    shutil.copytree(begun, copy)
    succeed("train", "--run", copy, "--training.steps", 3)
    told = capsys.readouterr().err
    assert "training.steps changes from 1 to 3" in told
    assert "resuming at step 1" in told
    rows = [json.loads(line) for line in (copy / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3]


def test_changed_data_cannot_resume_a_run(begun: Path, texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, changed = sums(begun / "state"), texts / "b.txt"
    content = changed.read_text()
    changed.write_text(content.replace("zoo", "ooz", 1))
    try:
        line = complaint(capsys, "train", "--run", begun, "--training.steps", 2)
    finally:
        changed.write_text(content)
    assert f"the data of this run (data.source {texts}) have changed since it was begun: restore them" in line
    assert not re.search("[0-9a-f]{16}", line)
    assert sums(begun / "state") == state


def test_a_folder_of_files_is_one_text(begun: Path, texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    characters = json.loads((begun / "preprocessing" / "characters.json").read_text())["characters"]
    assert {"\n", "0", "1", "2"} <= set(characters)
    sizes = [len((texts / name).read_text().rstrip("\n") + "\n") for name in ("a.txt", "b.txt", "more/c.md")]
    held_out = sum(size - int(0.9 * size) for size in sizes) + 2 * len("\n")  # the end of each, and blank lines between
    assert answer(capsys, "evaluate", "--run", begun)["examples"] == held_out - 1


@pytest.mark.skipif(not SHAKESPEARE.exists(), reason="needs ../shared/data")
def test_tiny_shakespeare_through_the_real_builder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import tensorflow_datasets as tfds

    downloads = tmp_path / "downloads"
    downloads.mkdir()
    name = "raw.gith.com_karp_char-rnn_mast_tiny_inpuhsTmqp23wELsefM53LltQrAHXha4_C6Gvwylfi3FZe0.txt"
    shutil.copy(SHAKESPEARE, downloads / name)
    url = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
    information = {"dataset_names": ["tiny_shakespeare"], "original_fname": "input.txt", "urls": [url]}
    (downloads / f"{name}.INFO").write_text(json.dumps(information))
    original = tfds.builder
    monkeypatch.setattr(tfds, "builder", lambda name, data_dir=None: original(name, data_dir=str(tmp_path)))
    run = tmp_path / "run"
    succeed("train", "--run", run, "--data.source", "tfds:tiny_shakespeare", *QUICK, "--training.steps", 1)
    characters = json.loads((run / "preprocessing" / "characters.json").read_text())["characters"]
    assert (len(characters), characters[:3]) == (65, "\n !")
    evaluation = answer(capsys, "evaluate", "--run", run)
    assert (evaluation["examples"], evaluation["split"]) == (55_770 - 1, "test")


@pytest.mark.skipif(SHAKESPEARE.exists(), reason="the real data set is tested instead")
def test_tiny_shakespeare_of_mock_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import tensorflow_datasets as tfds

    original = tfds.builder

    def with_splits(name: str, **_: object) -> object:
        builder = original(name, data_dir=str(tmp_path))
        if not builder.info.splits:
            splits = [tfds.core.SplitInfo(name=split, shard_lengths=[3], num_bytes=0) for split in ("train", "test")]
            builder.info.set_splits(tfds.core.SplitDict(splits))
        return builder

    monkeypatch.setattr(tfds, "builder", with_splits)
    tiny = ("--training.batch_size", 2, "--training.window_steps", 4, "--training.steps", 1)
    with tfds.testing.mock_data(num_examples=3):
        succeed("train", "--run", tmp_path / "run", "--data.source", "tfds:tiny_shakespeare", *QUICK, *tiny)
        assert answer(capsys, "evaluate", "--run", tmp_path / "run")["split"] == "test"


CONTENTS = {
    "empty.txt": b"",
    "letter.txt": b"a",
    "short.txt": b"a few words",
    "binary.txt": bytes(range(256)) * 10,
    "wide.txt": "many words ".encode("utf-16")[:-1],
}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("missing.txt", "missing.txt: does not exist; check the path"),
        ("empty.txt", "the training text has 0 characters, at least 2 are needed"),
        ("letter.txt", "characters, at least 2 are needed; give a longer text"),
        ("short.txt", "has 9 characters, but 16 sequences of 32 steps need 513; use more data"),
        ("binary.txt", "binary.txt: byte 128 (line 2) is 0x80, which is not UTF-8 text there"),
        ("wide.txt", "wide.txt: begins with the byte order mark of UTF-16, but byte 22 is not text in it"),
        ("folder", "folder: holds no text file; put files ending in .txt"),
        ("tfds:no_such_thing", "no_such_thing"),
    ],
)
def test_bad_texts_are_one_line(name: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    for file, content in CONTENTS.items():
        (tmp_path / file).write_bytes(content)
    source = name if name.startswith("tfds:") else tmp_path / name
    run = tmp_path / "run"
    assert problem in complaint(capsys, "train", "--run", run, "--data.source", source, *QUICK)
    assert not (run / "config.yaml").exists(), "a run that never began must not bind the next attempt"


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        (["--model.cell", "grru"], "unknown cell 'grru': did you mean 'gru'?"),
        (["--model.bidirectional", "true"], "model.bidirectional must be false"),
        (["--model.units", "0"], "model.units must be at least 1, not 0"),
        (["--model.units", "many"], "--model.units must be"),
        (["--model.dropout", "1"], "model.dropout must be at least 0 and below 1"),
        (["--training.steps", "0"], "training.steps must be at least 1"),
        (["--training.learning_rate", "-1"], "training.learning_rate must be above 0"),
        (["--data.validation_fraction", "1"], "data.validation_fraction"),
        (["--seed", "-1"], "seed must be from 0 to 4,294,967,295, not -1"),
        (["--seed", str(2**32)], "seed must be from 0 to 4,294,967,295"),
        (["--model.unit", "3"], "unknown flag '--model.unit'; did you mean '--model.units'?"),
        (["--config", "missing.yaml"], "missing.yaml"),
    ],
)
def test_bad_settings_are_one_line(
    setting: list[str], problem: str, text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert problem in complaint(capsys, "train", "--run", run, "--data.source", text, *QUICK, *setting)
    assert not run.exists()


@pytest.mark.parametrize("verb", ["evaluate", "predict", "stream", "inspect"])
def test_folders_that_are_no_runs_are_one_line(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "not a run folder (it has no config.yaml)" in complaint(capsys, verb, "--run", tmp_path)
    missing = complaint(capsys, verb, "--run", tmp_path / "missing")
    assert "missing: not a run folder (no such folder)" in missing
    assert f"{verb} needs --run" in complaint(capsys, verb)


def test_a_damaged_run_is_one_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    for path in (copy / "state").glob("*.npz"):
        os.truncate(path, path.stat().st_size // 2)
    assert "no intact state is left" in complaint(capsys, "evaluate", "--run", copy)
    (copy / "preprocessing" / "characters.json").write_text("{")
    assert "characters.json" in complaint(capsys, "predict", "--run", copy)
    (copy / "config.yaml").write_text("model:\n  units: [")
    assert "config.yaml" in complaint(capsys, "predict", "--run", copy)


def test_folders_that_cannot_be_written_are_one_line(text: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = text.read_bytes()
    for folder, problem in ((text, "it is a file"), ("/proc/run", "cannot create the run folder")):
        message = complaint(capsys, "train", "--run", folder, "--data.source", text, *QUICK)
        assert f"{folder}: {problem}" in message
    assert text.read_bytes() == before


def test_bad_test_texts_are_one_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    missing = tmp_path / "missing.txt"
    assert "missing.txt: does not exist" in complaint(capsys, "evaluate", "--run", run, "--data.test", missing)
    assert "the test text has 0 characters" in complaint(capsys, "evaluate", "--run", run, "--data.test", empty)
