from __future__ import annotations

import itertools
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rnnapps.cells import CELLS
from rnnapps.cli.main import main as rnnapps_main
from rnnapps.tasks.video_recognition.data.file import write_mp4
from rnnapps.training.run import RunFolder
from rnnapps.training.state import read_weights
from tests.tasks.command import skip_report
from tests.tasks.video_recognition.video_files import moving_square, write_moves
from tests.tasks.video_recognition.videos import SETTINGS, answer, complaint, succeed


@pytest.fixture(scope="module", autouse=True)
def quick_baselines() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnapps.tasks.video_recognition.baselines.STILL_STEPS", 60)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_moves(tmp_path_factory.mktemp("video") / "moves", 24)


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    place = folder.parent / "run"
    with pytest.MonkeyPatch.context() as patch:
        skip_report(patch)
        steps = ("--training.steps=120", "--training.evaluate_every=60")
        shares = ("--data.validation_fraction=0.2", "--data.test_fraction=0.3")
        succeed("train", "--run", place, "--data.source", folder, *shares, *SETTINGS, *steps)
    return place


def test_it_learns_what_no_single_frame_shows(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_report(monkeypatch)
    found = answer(capsys, "evaluate", "--run", run)
    assert found["split"] == "test" and found["examples"] == 14
    assert found["accuracy"] >= 0.9
    assert set(found["baselines"]) == {"majority class", "single middle frame", "mean frame", "mean change of frames"}
    assert found["verdict"]["outcome"] == "better" and found["verdict"]["parts"] == 14
    assert all(baseline["accuracy"] <= 0.75 for baseline in found["baselines"].values())
    assert found["diagnostics"].keys() == {"recall_left", "recall_right"}


def test_predict_and_stream(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_mp4(tmp_path / "there.mp4", moving_square("right", 77), rate=10)
    write_mp4(tmp_path / "back.mp4", moving_square("left", 78), rate=10)
    results = answer(capsys, "predict", "--run", run, "--video", tmp_path)["results"]
    assert [Path(each["video"]).stem for each in results] == ["back", "there"]
    assert [each["label"] for each in results] == ["left", "right"]
    assert results[0]["classes"]["left"] + results[0]["classes"]["right"] == pytest.approx(1, abs=1e-3)
    succeed("stream", "--run", run, "--video", tmp_path / "there.mp4")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["seconds"] == 0 and lines[-1]["label"] == "right"
    assert all(one["label"] != other["label"] for one, other in itertools.pairwise(lines))
    both = np.concatenate([moving_square("right", 77), moving_square("left", 77)])
    write_mp4(tmp_path / "both.mp4", both, rate=10)
    succeed("stream", "--run", run, "--video", tmp_path / "both.mp4", "--restart_seconds", 1.2)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["label"] == "left"


def live(path: Path) -> str:
    """A camera that shows a film of ten frames a second in real time, again and again."""
    return f"lavfi:movie={path}:loop=0,setpts=N/10/TB,realtime"


def test_a_camera_is_watched_until_its_time_is_up(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there_and_back = np.concatenate([moving_square("right", 77), moving_square("left", 77)])
    write_mp4(tmp_path / "film.mp4", there_and_back, rate=10)
    begun = time.monotonic()
    times = ("--seconds", 4.8, "--restart_seconds", 1.2)
    succeed("stream", "--run", run, "--camera", live(tmp_path / "film.mp4"), *times)
    assert time.monotonic() - begun > 4.6
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for end, label in ((1.2, "right"), (2.4, "left"), (3.6, "right"), (4.8, "left")):
        assert [line["label"] for line in lines if line["seconds"] < end - 0.05][-1] == label


@pytest.mark.slow
def test_watching_a_camera_ends_with_ctrl_c(run: Path, tmp_path: Path) -> None:
    write_mp4(tmp_path / "film.mp4", moving_square("right", 77), rate=10)
    flags = ["stream", "--run", str(run), "--camera", live(tmp_path / "film.mp4"), "--restart_seconds", "1.2"]
    command = [sys.executable, "-m", "rnnapps", "video_recognition", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["seconds"] == 0  # printed while the camera goes on
        time.sleep(2)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    assert process.returncode == 130
    assert complaints.splitlines()[-1] == "interrupted" and "Traceback" not in complaints


def test_bad_videos_and_flags_are_one_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    assert "bad.mp4: cannot be decoded" in complaint(capsys, "predict", "--run", run, "--video", bad)
    assert "none.mp4: does not exist" in complaint(capsys, "stream", "--run", run, "--video", tmp_path / "none.mp4")
    assert "holds no video" in complaint(capsys, "predict", "--run", run, "--video", run / "state")
    assert "--video" in complaint(capsys, "predict", "--run", run)
    assert "predict has no --camera: it is a flag of stream" in complaint(
        capsys, "predict", "--run", run, "--camera", "/dev/null"
    )
    assert "/dev/nothing: does not exist" in complaint(capsys, "stream", "--run", run, "--camera", "/dev/nothing")
    assert "cannot be read as a camera" in complaint(capsys, "stream", "--run", run, "--camera", bad)


def test_a_run_is_not_begun_in_vain(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--data.source", folder, *SETTINGS, "--run", tmp_path / "run")
    assert "carry_state must be false" in complaint(capsys, "train", *flags, "--training.carry_state=true")
    assert "there is no label 'up'" in complaint(capsys, "train", *flags, '--data.flip=["up"]')
    assert not (tmp_path / "run").exists()


def test_fine_tuning_adds_classes(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_report(monkeypatch)
    source = write_moves(tmp_path / "more", 4, first=30)
    (source / "still").mkdir()
    for number in range(4):
        write_mp4(source / "still" / f"{number}.mp4", np.repeat(moving_square("left", number)[:1], 12, axis=0), rate=10)
    steps = ("--training.steps=2", "--training.evaluate_every=2")
    found = answer(
        capsys, "finetune", "--from", run, "--run", tmp_path / "tuned", "--data.source", source, *SETTINGS, *steps
    )
    assert found["transfer"]["grown"] == {"logits/kernel": 1, "logits/bias": 1}
    labels = json.loads((tmp_path / "tuned" / "preprocessing" / "video.json").read_text())["labels"]
    assert labels == ["left", "right", "still"]


@pytest.mark.parametrize(("known", "labels"), [("drop", ["right", "still"]), ("keep", ["left", "right", "still"])])
def test_fine_tuning_drops_or_keeps_classes_that_are_not_shown(
    known: str,
    labels: list[str],
    run: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    skip_report(monkeypatch)
    source = write_moves(tmp_path / "more", 6, moves=("right",), first=30)
    shutil.copytree(source / "right", source / "still")
    flags = (*SETTINGS, "--training.steps=1", "--training.evaluate_every=1", f"--data.known_classes={known}")
    succeed("finetune", "--from", run, "--run", tmp_path / "tuned", "--data.source", source, *flags)
    assert ("no new video shows left: dropped" in capsys.readouterr().err) == (known == "drop")
    assert json.loads((tmp_path / "tuned" / "preprocessing" / "video.json").read_text())["labels"] == labels
    before, after = (read_weights(RunFolder(folder))[1] for folder in (run, tmp_path / "tuned"))
    column = labels.index("right")
    np.testing.assert_allclose(after["logits/kernel"][:, column], before["logits/kernel"][:, 1], atol=0.02)


@pytest.mark.slow
def test_an_export_verifies_and_answers_like_predict(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    from rnnapps.tasks.video_recognition.client import request_arrays
    from rnnapps.tasks.video_recognition.video_format import VideoFormat

    succeed("export", "--run", run, "--to", tmp_path / "model")
    assert rnnapps_main(["verify", str(tmp_path / "model" / "1")]) == 0
    write_mp4(tmp_path / "long.mp4", moving_square("left", 5, frames=30), rate=10)
    expected = answer(capsys, "predict", "--run", run, "--video", tmp_path / "long.mp4")["results"][0]
    seen = VideoFormat.load(tmp_path / "model" / "1" / "assets.extra" / "preprocessing")
    request = request_arrays(seen, tmp_path / "long.mp4")
    served = tf.saved_model.load(str(tmp_path / "model" / "1")).signatures["serving_default"]
    frames = tf.constant(request["frames"].tolist())
    found = served(frames=frames, lengths=tf.constant(request["lengths"]))
    assert found["label"].numpy()[0].decode() == expected["label"]
    assert float(found["probability"][0]) == pytest.approx(expected["probability"], abs=2e-3)
    skip_report(monkeypatch)
    flags = (*SETTINGS, "--training.steps=1", "--training.evaluate_every=1")
    source = write_moves(tmp_path / "more", 4, first=30)
    succeed(
        "finetune", "--from", tmp_path / "model" / "1", "--run", tmp_path / "tuned", "--data.source", source, *flags
    )


@pytest.mark.slow
def test_inspect_and_report(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "inspect", "--run", run)
    page = Path(found["report"]).read_text()
    assert "off the diagonal" in page and "probability over seconds" in page and "frames of each of" in page


@pytest.mark.slow
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_every_cell(cell: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_report(monkeypatch)
    flags = (*SETTINGS, f"--model.cell={cell}", "--training.steps=2", "--training.evaluate_every=2")
    succeed("train", "--run", tmp_path / "run", "--data.source", folder, *flags)
    succeed("export", "--run", tmp_path / "run", "--to", tmp_path / "model")
    assert rnnapps_main(["verify", str(tmp_path / "model" / "1")]) == 0
