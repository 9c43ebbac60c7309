"""The translation pipeline through its command line, on a toy language."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from rnnapps.cells import CELLS
from rnnapps.cli.main import main as rnnapps_main
from rnnapps.tasks.translation.evaluation import PENALTIES
from tests.tasks.command import skip_report
from tests.tasks.translation.sentences import SETTINGS, WORDS, answer, complaint, succeed, write_pairs


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("toy") / "toy.tsv", 600)


@pytest.fixture(scope="module")
def run(pairs: Path) -> Path:
    folder = pairs.parent / "run"
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        steps = ("--training.steps=240", "--training.evaluate_every=120")
        succeed("train", "--run", folder, "--data.source", pairs, *SETTINGS, *steps)
    return folder


def test_it_learns_words_and_their_order(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_report(monkeypatch)
    found = answer(capsys, "evaluate", "--run", run)
    assert found["split"] == "test" and found["exact_match_percent"] > 80
    assert found["bleu"] > 2 * found["baselines"]["word by word"]["bleu"]
    verdict = found["verdict"]
    assert (verdict["outcome"], verdict["baseline"], verdict["metric"]) == ("better", "word by word", "bleu")
    assert verdict["interval"][0] > 0 and verdict["part"] == "sentence pairs"
    assert found["baselines"]["word by word"]["chrf"] > found["baselines"]["copied source"]["chrf"]
    assert found["diagnostics"]["bleu_signature"].startswith("nrefs:1|case:mixed")
    assert found["perplexity"] < 2


def test_predict_and_stream(run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(capsys, "predict", "--run", run, "--sentence", "kos mul.")["results"] == ["dog red."]
    monkeypatch.setattr("sys.stdin", io.StringIO("tep nar.\n\nkos kos.\n"))
    assert answer(capsys, "predict", "--run", run, "--decoding.beam_width", 1)["results"] == [
        "over runs.",
        "",
        "red red.",
    ]
    (listed,) = answer(capsys, "predict", "--run", run, "--sentence", "gol wif.", "--n_best", 3)["results"]
    texts, scores = zip(*((each["text"], each["score"]) for each in listed["translations"]), strict=True)
    assert texts[0] == "green fields." and len(texts) == 3 and list(scores) == sorted(scores, reverse=True)
    monkeypatch.setattr("sys.stdin", io.StringIO("mul tep.\nnar mul.\n"))
    capsys.readouterr()
    succeed("stream", "--run", run)
    assert capsys.readouterr().out == "runs dog.\ndog over.\n"


@pytest.mark.slow
def test_tuning_chooses_a_length_penalty_on_validation_pairs(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "evaluate", "--run", run, "--tune", "--decoding.length_penalty", 9)["diagnostics"]
    assert found["length_penalty"] in PENALTIES and found["validation_bleu"] > 50
    assert "beam_width of at least 2" in complaint(
        capsys, "evaluate", "--run", run, "--tune", "--decoding.beam_width", 1, printed=True
    )


def test_predict_searches_as_the_run_says(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = shutil.copytree(run, tmp_path / "narrow")
    written = (other / "config.yaml").read_text()
    assert "beam_width: 5" in written
    (other / "config.yaml").write_text(written.replace("beam_width: 5", "beam_width: 2"))
    (other / "checksums.json").unlink()  # the change is meant
    flags = ("predict", "--run", other, "--sentence", "kos mul.", "--n_best", 3)
    assert "n_best must be from 1 to decoding.beam_width (2), not 3" in complaint(capsys, *flags)
    (listed,) = answer(capsys, *flags, "--decoding.beam_width", 3)["results"]
    assert len(listed["translations"]) == 3


def test_bad_flags_are_one_line(run: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "decoding.beam_width must be from 1 to 64, not 0" in complaint(
        capsys, "predict", "--run", run, "--decoding.beam_width", 0
    )
    assert "n_best must be from 1 to decoding.beam_width (5), not 9" in complaint(
        capsys, "predict", "--run", run, "--n_best", 9
    )
    bad = tmp_path / "bad.tsv"
    bad.write_text("a\tb\nonly one\n")
    new = ("--run", tmp_path / "run", *SETTINGS)
    assert "bad.tsv: line 2 has 1 columns" in complaint(capsys, "train", "--data.source", bad, *new)
    few = write_pairs(tmp_path / "few.tsv", 20)
    assert "lower --training.batch_size" in complaint(capsys, "train", "--data.source", few, *new)
    carry = ("--data.source", pairs, *new, "--training.carry_state", "true")
    assert "training.carry_state must be false" in complaint(capsys, "train", *carry)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_export_answers_as_the_run_does(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    succeed("export", "--run", run, "--to", tmp_path / "toy")
    assert rnnapps_main(["verify", str(tmp_path / "toy")]) == 0
    import numpy as np
    import tensorflow as tf

    served = tf.saved_model.load(str(tmp_path / "toy" / "1"))
    found = served.signatures["serving_default"](sentence=tf.constant(["kos mul.", "", "☃ nar gol.", "x" * 5000]))
    assert [text.decode() for text in found["translation"].numpy()][:2] == ["dog red.", ""]
    assert "☃" in found["translation"].numpy()[2].decode() or found["target_lengths"][2] > 0
    assert np.all(np.isfinite(found["score"])) and found["attention"].shape[0] == 4
    assert found["source_lengths"].numpy().tolist()[:2] == [4, 1]
    shares = found["attention"].numpy()[0, : int(found["target_lengths"][0]) + 1].sum(axis=-1)
    np.testing.assert_allclose(shares, 1, atol=1e-5)


@pytest.mark.slow
def test_a_long_sentence_is_answered(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = answer(capsys, "predict", "--run", run, "--sentence", "kos mul " * 625, "--decoding.beam_width", 2)[
        "results"
    ]
    assert isinstance(text, str)


@pytest.mark.slow
def test_finetuning_learns_new_words(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = write_pairs(tmp_path / "new.tsv", 400, seed=1, extra={"blip": "moon", "zorr": "über"})
    steps = ("--training.steps=120", "--training.evaluate_every=60")
    tuned = tmp_path / "tuned"
    succeed("finetune", "--from", run, "--run", tuned, "--data.source", new, *SETTINGS, *steps)
    transfer = json.loads((tuned / "finetune.json").read_text())["transfer"]
    assert transfer["grown"] == {
        "source_embedding/embeddings": 2,
        "target_embedding/embeddings": 2,
        "scores/kernel": 2,
        "scores/bias": 2,
    }
    assert answer(capsys, "predict", "--run", tuned, "--sentence", "zorr blip kos.")["results"] == ["red moon über."]
    assert answer(capsys, "predict", "--run", run, "--sentence", "zorr kos.")["results"] != ["red über."]


@pytest.mark.slow
def test_finetuning_appends_merges(pairs: Path, tmp_path: Path) -> None:
    from rnnapps.tasks.translation.vocabularies import PairVocabularies

    new = write_pairs(tmp_path / "new.tsv", 400, seed=1, extra={"blip": "moon", "zorr": "über"})
    flags = (*SETTINGS, "--data.tokens=subwords", "--training.steps=2", "--training.evaluate_every=2")
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        succeed("train", "--run", tmp_path / "run", "--data.source", pairs, *flags)
        succeed("finetune", "--from", tmp_path / "run", "--run", tmp_path / "tuned", "--data.source", new, *flags)
    old, grown = (PairVocabularies.load(tmp_path / name / "preprocessing") for name in ("run", "tuned"))
    for before, after in ((old.source, grown.source), (old.target, grown.target)):
        assert before.merges and after.merges and len(after.merges) > len(before.merges)
        assert after.names[: before.size] == before.names
        assert after.merges[: len(before.merges)] == before.merges
    transfer = json.loads((tmp_path / "tuned" / "finetune.json").read_text())["transfer"]
    added = (grown.source.size - old.source.size, grown.target.size - old.target.size)
    assert list(transfer["grown"].values()) == [added[0], added[1], added[1], added[1]] and min(added) > 3


@pytest.mark.slow
def test_report_shows_attention_and_lengths(run: Path) -> None:
    succeed("inspect", "--run", run)
    page = (run / "report.html").read_text()
    for title in ("Attention", "Scores by sentence length", "Training pairs"):
        assert f">{title}<" in page


@pytest.mark.slow
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_every_cell_trains_and_is_exported(cell: str, pairs: Path, tmp_path: Path) -> None:
    flags = ["--training.steps=2", "--training.evaluate_every=2", f"--model.cell={cell}"]
    assert exit_code_of_verify(flags, pairs, tmp_path) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags",
    [
        ["--model.input_feeding=true", "--model.attention=additive"],
        ["--model.scheduled_sampling=0.3", "--model.context_layers=1"],
        ["--data.tokens=characters", "--model.tie_embeddings=true"],
        ["--data.tokens=subwords", "--data.lowercase=true", "--data.reverse=true"],
        ["--data.tokens=wordpieces"],
    ],
    ids=["input feeding", "scheduled sampling", "characters", "subwords", "word pieces"],
)
def test_every_option_trains_and_is_exported(flags: list[str], pairs: Path, tmp_path: Path) -> None:
    steps = ["--training.steps=4", "--training.evaluate_every=2"]
    assert exit_code_of_verify([*steps, *flags], pairs, tmp_path) == 0


def exit_code_of_verify(flags: list[str], pairs: Path, folder: Path) -> int:
    """Trains with these flags, exports, and verifies the export."""
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        succeed("train", "--run", folder / "run", "--data.source", pairs, *SETTINGS, *flags)
    succeed("export", "--run", folder / "run", "--to", folder / "model")
    return rnnapps_main(["verify", str(folder / "model")])


@pytest.mark.parametrize(
    ("count", "problem"),
    [(0, "tiny.tsv: holds no sentence pair"), (1, "tiny.tsv: has 1 different sentences; 2 are held")],
)
def test_too_few_pairs_are_refused(
    count: int, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_pairs(tmp_path / "tiny.tsv", count)
    assert problem in complaint(capsys, "train", *SETTINGS, "--data.source", source, "--run", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def two_words() -> list[str]:
    """All pairs of two words: all of three tokens."""
    return [f"{a} {b}.\t{WORDS[b]} {WORDS[a]}.\n" for a in WORDS for b in WORDS]


UNUSUAL = {
    "three pairs": (["kos mul.\tdog red.\n", "tep.\truns.\n", "nar gol.\tfields over.\n"], 1),
    "one length": (two_words(), 8),
    "a sentence of 5,000 characters": ([*two_words(), f"{'kos mul ' * 625}\t{'dog red ' * 625}\n"], 4),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_data_sets_are_learned_from(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (lines, batch), source = UNUSUAL[name], tmp_path / "unusual.tsv"
    source.write_text("".join(lines), encoding="utf-8")
    flags = ("--data.source", source, "--data.longest=5000", f"--training.batch_size={batch}", "--training.steps=3")
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        succeed("train", *SETTINGS, *flags, "--training.evaluate_every=3", "--run", tmp_path / "run")
        found = answer(capsys, "evaluate", "--run", tmp_path / "run")
    assert found["split"] == "test" and 0 <= found["bleu"] <= 100 and found["perplexity"] >= 1


@pytest.mark.slow
def test_one_pair_is_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "one.tsv"
    source.write_text("kos mul.\tdog red.\n", encoding="utf-8")
    data = ("--data.source", source, "--data.validation", source, "--data.test_fraction=0", "--training.batch_size=1")
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        succeed(
            "train", *SETTINGS, *data, "--training.steps=60", "--training.evaluate_every=60", "--run", tmp_path / "r"
        )
    assert answer(capsys, "predict", "--run", tmp_path / "r", "--sentence", "kos mul.")["results"] == ["dog red."]
