"""Every verb on a pipeline that really trains, from the command line to the files."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rnnapps.cli.main import main as rnnapps_main
from rnnapps.cli.pipeline_cli import main
from rnnapps.errors import DataError
from rnnapps.training.run import RunFolder
from rnnapps.training.state import read_weights
from tests.cli.tiny_pipeline import Tiny

SHORT = ["--training.steps=20", "--training.evaluate_every=10", "--training.compile=graph"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert main(Tiny(), ["train", "--run", str(folder), *SHORT]) == 0
    return folder


@pytest.fixture(scope="module")
def exported(run: Path) -> Path:
    folder = run.parent / "models" / "tiny"
    assert main(Tiny(), ["export", "--run", str(run), "--to", str(folder)]) == 0
    return folder / "1"


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking inside the network takes seconds, and is tested with `train` and `inspect`."""
    monkeypatch.setattr("rnnapps.verbs.reporting.refresh_report", lambda *_, **__: Path("report.html"))


def answer(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    """The one JSON object a verb prints."""
    capsys.readouterr()
    assert main(Tiny(), [*argv, "--json"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    return dict(json.loads(printed))


def complaint(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line a verb ends with."""
    capsys.readouterr()
    assert main(Tiny(), list(argv)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()[-1]


def test_a_run_folder_has_all_its_files(run: Path) -> None:
    names = {path.name for path in run.iterdir()}
    assert {"config.yaml", "metrics.jsonl", "samples.jsonl", "state", "preprocessing", "report.html"} <= names
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [10, 20]
    assert {"step", "elapsed_seconds", "validation_nats_per_letter"} <= rows[0].keys()


def test_a_report_speaks_the_pipelines_language(run: Path) -> None:
    page = (run / "report.html").read_text()
    for words in ("abc from abc; last: ", "nats per letter", "letters per second", "letters per training step"):
        assert words in page
    assert "character" not in page


@pytest.mark.slow
@pytest.mark.usefixtures("without_report")
def test_resuming_gives_the_weights_of_one_long_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = ["--training.schedule=constant", "--training.evaluate_every=5", "--training.compile=graph"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main(Tiny(), ["train", "--run", str(whole), *steps, "--training.steps", "10"]) == 0
    assert main(Tiny(), ["train", "--run", str(parts), *steps, "--training.steps", "5"]) == 0
    capsys.readouterr()
    assert main(Tiny(), ["train", "--run", str(parts), "--training.steps", "10"]) == 0
    assert "training.steps changes from 5 to 10" in capsys.readouterr().err
    (_, left), (_, right) = (read_weights(RunFolder(folder), "last") for folder in (whole, parts))
    assert left.keys() == right.keys()
    assert all((left[name] == right[name]).all() for name in left)


def test_other_settings_cannot_resume_a_run(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run / "config.yaml").read_bytes()
    line = complaint(capsys, "train", "--run", str(run), "--model.units", "9", "--data.source", "abd")
    assert "data.source (was abc, now abd), model.units (was 8, now 9)" in line
    assert "training.steps can only grow" in complaint(capsys, "train", "--run", str(run), "--training.steps", "5")
    assert (run / "config.yaml").read_bytes() == before


def test_evaluate_prints_model_and_baselines(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = answer(capsys, "evaluate", "--run", str(run))
    assert result["nats_per_letter"] < result["baselines"]["uniform"]["nats_per_letter"] == math.log(3)
    assert (result["examples"], result["split"]) == (20, "validation")
    assert main(Tiny(), ["evaluate", "--run", str(run)]) == 0
    table = capsys.readouterr().out
    assert "model" in table
    assert "uniform" in table
    sentence = result["verdict"]["sentence"]
    assert sentence.startswith("The model beats its best baseline, uniform: ") and result["verdict"]["parts"] == 20
    assert table.splitlines()[-1] == sentence
    assert sentence in (run / "report.html").read_text()


def test_training_ends_with_the_verdict(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run is complete, so that `train` only evaluates it."""
    told = answer(capsys, "train", "--run", str(run))["evaluation"]
    assert told["verdict"]["sentence"] in (run / "report.html").read_text()
    assert main(Tiny(), ["train", "--run", str(run)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == told["verdict"]["sentence"]
    assert "evaluation" not in answer(capsys, "train", "--run", str(run), "--skip_evaluation")
    assert told["verdict"]["sentence"] not in (run / "report.html").read_text()


def test_a_training_that_cannot_be_evaluated_is_a_training(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise DataError("test.csv", "holds one class only", "use another")

    monkeypatch.setattr(Tiny, "evaluate", fail)
    assert main(Tiny(), ["train", "--run", str(run)]) == 0
    assert "note: the model is trained, but was not evaluated: test.csv: holds one class" in capsys.readouterr().err


def test_evaluate_scores_other_data(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = answer(capsys, "evaluate", "--run", str(run), "--data.test", "bca")
    assert result["split"] == "test"
    assert result["note"].startswith("Scored on other data than the model's own (data.test bca, not None); ")
    assert main(Tiny(), ["evaluate", "--run", str(run), "--data.source", "cab"]) == 0
    note, sentence = capsys.readouterr().out.splitlines()[-2:]
    assert "(data.source cab, not abc); the baselines learned from the training part of these data." in note
    assert sentence.startswith("The model ")


def test_json_mode_keeps_noise_off_standard_output(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def noisy(*_: Any) -> list[Any]:
        print("noise")
        return ["b", {"score": float("nan")}]

    monkeypatch.setattr(Tiny, "predict", noisy)
    assert answer(capsys, "predict", "--run", str(run)) == {"results": ["b", {"score": None}]}


def test_results_are_printed_a_line_each(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed(*results: Any) -> str:
        monkeypatch.setattr(Tiny, "predict", lambda *_, **__: list(results))
        capsys.readouterr()
        assert main(Tiny(), ["predict", "--run", str(run)]) == 0
        return capsys.readouterr().out

    assert printed({"forecast": [1.5, 2]}, {"forecast": [3]}) == '{"forecast": [1.5, 2]}\n{"forecast": [3]}\n'
    assert printed("one", "two") == "one\ntwo\n"
    assert printed("a\nb", "c") == f"a\nb\n{'-' * 40}\nc\n"


def test_streamed_lines_end_once(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tiny, "stream", lambda *_, **__: iter(["1.5\n", "2.5\n"]))
    capsys.readouterr()
    assert main(Tiny(), ["stream", "--run", str(run)]) == 0
    assert capsys.readouterr().out == "1.5\n2.5\n"


def test_predict_and_stream_say_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predicted = answer(capsys, "predict", "--run", str(run), "--prompt", "b", "--length", "4")["results"]
    capsys.readouterr()
    assert main(Tiny(), ["stream", "--run", str(run), "--prompt", "b", "--length", "4"]) == 0
    assert capsys.readouterr().out == f"{predicted[0]}\n"


@dataclass(frozen=True)
class Piece:
    """A piece that is a result of its own."""

    text: str

    def printed(self) -> Any:
        return {"text": self.text} if self.text == "object" else self.text


def test_a_stream_of_results_has_a_line_each_and_one_of_json_on_demand(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def streamed(*argv: str) -> str:
        monkeypatch.setattr(Tiny, "stream", lambda *_, **__: iter([Piece("a"), Piece(""), Piece("object"), "b"]))
        capsys.readouterr()
        assert main(Tiny(), ["stream", "--run", str(run), *argv]) == 0
        return capsys.readouterr().out

    assert streamed() == 'a\n\n{"text": "object"}\nb\n'
    assert streamed("--json") == '{"text": "a"}\n{"text": ""}\n{"text": "object"}\n{"piece": "b"}\n'


def test_json_of_a_stream_has_all_letters(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--run", str(run), "--prompt", "b", "--length", "4")
    predicted = answer(capsys, "predict", *asked)["results"]
    assert main(Tiny(), ["stream", *asked, "--json"]) == 0
    pieces = [json.loads(line)["piece"] for line in capsys.readouterr().out.splitlines()]
    assert len(pieces) == 4 and "".join(pieces) == predicted[0]


def test_inspect_shows_tables_and_writes_pictures(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnapps.reports.inspect.measure_step_memory", lambda *_, **__: 3 << 20)  # it takes ten seconds
    capsys.readouterr()
    assert main(Tiny(), ["inspect", "--run", str(run)]) == 0
    printed = capsys.readouterr().out
    for title in ("Parameters", "Gradient", "Gate", "operations, total", "measured rise of peak memory"):
        assert title in printed
    assert (run / "inspect" / "gradient_through_time.png").read_bytes().startswith(b"\x89PNG")


def test_an_export_is_verified_and_versioned(run: Path, exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rnnapps_main(["verify", str(exported)]) == 0
    result = answer(capsys, "export", "--run", str(run), "--to", str(exported.parent))
    assert (result["version"], result["signatures"]) == (2, ["serving_default"])
    assert "pipeline: tiny" in (exported / "assets.extra" / "config.yaml").read_text()
    assert "Says which letter comes next" in (exported / "assets.extra" / "model_card.md").read_text()


def test_a_format_that_cannot_be_written_is_refused_before_the_work(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = complaint(capsys, "export", "--run", str(run), "--to", str(tmp_path / "m"), "--portable", "tflite")
    assert line == "error: --portable tflite: no such format; expected some of c, litert, onnx"
    line = complaint(capsys, "export", "--run", str(run), "--to", str(tmp_path / "m"), "--portable", "c")
    assert line.endswith("no signature step, which these formats take; it has serving_default")
    assert not (tmp_path / "m").exists()


def test_an_export_to_a_file_is_refused_before_the_work(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setattr("rnnapps.cli.verbs.open_run", None)
    line = complaint(capsys, "export", "--run", str(run), "--to", str(tmp_path / "file"))
    assert (
        line == f"error: {tmp_path}/file: is a file; expected a folder, to which the export is written as a new version"
    )
    assert (tmp_path / "file").read_text() == "mine"


def test_a_damaged_export_fails_verification(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = exported / "assets.extra" / "model_card.md"
    content = card.read_bytes()
    card.write_bytes(content + b"!")
    capsys.readouterr()
    try:
        assert rnnapps_main(["verify", str(exported), "--json"]) == 2
    finally:
        card.write_bytes(content)
    result = json.loads(capsys.readouterr().out)
    assert not result["passed"]
    assert any("model_card.md" in item["detail"] for item in result["checks"])


@pytest.mark.usefixtures("without_report")
@pytest.mark.parametrize("origin", ["run", pytest.param("export", marks=pytest.mark.slow)])
def test_finetuning_grows_the_vocabulary(
    origin: str, run: Path, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = {"run": run, "export": exported}[origin]
    target = tmp_path / "mine"
    argv = ["--from", str(source), "--data.source", "abcd", "--freeze", "embedding", "--run", str(target), *SHORT]
    result = answer(capsys, "finetune", *argv)
    assert result["transfer"]["grown"]["embedding/embeddings"] == 1
    assert result["transfer"]["frozen"] == ["embedding/embeddings"]
    assert not result["transfer"]["reset"]
    old, new = read_weights(RunFolder(run))[1], read_weights(RunFolder(target), "last")[1]
    assert (old["embedding/embeddings"] == new["embedding/embeddings"][:3]).all()
    assert (old["logits/kernel"] != new["logits/kernel"][:, :3]).any()
    assert json.loads((target / "preprocessing" / "letters.json").read_text()) == "abcd"


@pytest.mark.slow
@pytest.mark.usefixtures("without_report")
def test_a_finetuned_run_resumes_frozen(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target, argv = tmp_path / "mine", ["--from", str(run), "--freeze", "embedding"]
    answer(capsys, "finetune", *argv, "--run", str(target), *SHORT)
    answer(capsys, "train", "--run", str(target), "--training.steps", "25")
    old, new = read_weights(RunFolder(run))[1], read_weights(RunFolder(target), "last")[1]
    assert (old["embedding/embeddings"] == new["embedding/embeddings"]).all()
    other = complaint(capsys, "finetune", "--from", str(run), "--run", str(target))
    assert "was not begun with these --from and --freeze" in other


def test_finetuning_from_nothing_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no such folder" in complaint(capsys, "finetune", "--from", str(tmp_path / "none"), "--run", str(tmp_path))
    assert str(empty) in complaint(capsys, "finetune", "--from", str(empty), "--run", str(tmp_path / "new"))


def test_a_run_without_a_state_says_so(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "preprocessing").mkdir()
    for name in ("config.yaml", "preprocessing/letters.json"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    assert "no saved state" in complaint(capsys, "evaluate", "--run", str(tmp_path))
