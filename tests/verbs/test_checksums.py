"""What a run was begun with cannot change unseen, and two processes never share one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import rnnapps
from rnnapps.errors import CheckpointError
from rnnapps.training.run import RunFolder
from tests.cli.tiny_pipeline import TINY
from tests.tasks.command import skip_report
from tests.verbs.tiny import SHORT, install


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        skip_report(patch)
        yield rnnapps.train(TINY, run=tmp_path_factory.mktemp("run") / "run", **SHORT).path


def test_a_run_opens_as_it_was_written(run: Path) -> None:
    noted = json.loads((run / "checksums.json").read_text())
    assert set(noted) == {"format", "config.yaml", "preprocessing/letters.json"} and noted["format"] == 1
    assert rnnapps.load(run).preprocessor.letters == "abc"


@pytest.mark.parametrize(
    ("name", "content"),
    [("preprocessing/letters.json", '"cab"'), ("config.yaml", "pipeline: tiny\nseed: 1\n"), ("config.yaml", None)],
)
def test_what_was_changed_is_refused(run: Path, name: str, content: str | None) -> None:
    before = (run / name).read_bytes()
    text = before.decode() + "\n" if content is None else content
    try:
        (run / name).write_text(text)
        with pytest.raises(CheckpointError, match=rf"{name}: is not what training wrote; restore it, or delete"):
            rnnapps.load(run)
        with pytest.raises(CheckpointError, match="is not what training wrote"):
            rnnapps.train(TINY, run=run, **{**SHORT, "steps": 6})
    finally:
        (run / name).write_bytes(before)


def test_a_missing_file_is_told(run: Path) -> None:
    path = run / "preprocessing" / "letters.json"
    before = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(CheckpointError, match=r"letters\.json: is missing"):
            rnnapps.load(run)
    finally:
        path.write_bytes(before)


def test_damaged_checksums_are_told_and_missing_ones_are_done_without(run: Path) -> None:
    path = run / "checksums.json"
    before = path.read_bytes()
    try:
        path.write_text("[]")
        with pytest.raises(CheckpointError, match=r"checksums\.json: cannot be read"):
            rnnapps.load(run)
        path.unlink()
        rnnapps.load(run)
    finally:
        path.write_bytes(before)


def test_another_layout_is_refused_in_one_line(run: Path) -> None:
    path = run / "checksums.json"
    before = path.read_text()
    try:
        path.write_text(json.dumps(json.loads(before) | {"format": 2}))
        with pytest.raises(CheckpointError, match="a run of format 2, but this version reads format 1"):
            rnnapps.load(run)
    finally:
        path.write_text(before)


def test_a_kill_between_checksums_and_configuration_leaves_a_run_that_opens(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnapps.verbs import checksums

    before = (run / "checksums.json").read_bytes()
    try:
        checksums.write_checksums(run, b"a configuration that is never written")
        rnnapps.load(run)
    finally:
        (run / "checksums.json").write_bytes(before)


def test_a_busy_run_is_refused_before_anything_of_it_changes(run: Path) -> None:
    before = (run / "config.yaml").read_bytes()
    with RunFolder(run).lock(), pytest.raises(CheckpointError, match="is already training into this run"):
        rnnapps.train(TINY, run=run, **{**SHORT, "steps": 8, "learning_rate": 0.001})
    assert (run / "config.yaml").read_bytes() == before


def test_of_two_that_begin_a_run_at_once_the_later_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    skip_report(monkeypatch)
    folder, begun = tmp_path / "run", b"pipeline: tiny\nseed: 7\n"

    class Overtaken(type(TINY)):  # type: ignore[misc]
        def build_model(self, *arguments: object) -> object:
            folder.mkdir(exist_ok=True)
            (folder / "config.yaml").write_bytes(begun)  # another process is quicker
            return super().build_model(*arguments)

    with pytest.raises(CheckpointError, match="another process has begun this run"):
        rnnapps.train(Overtaken(), run=folder, **SHORT)
    assert (folder / "config.yaml").read_bytes() == begun


def test_the_state_before_a_damaged_one_answers_not_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch)
    skip_report(monkeypatch)
    run = rnnapps.train(TINY, run=tmp_path / "run", **{**SHORT, "steps": 6}).path
    newest = max((run / "state").rglob("*"), key=lambda path: (path.is_file(), path.name, path.stat().st_size))
    newest.write_bytes(b"damaged")
    capsys.readouterr()
    rnnapps.load(run)
    assert "falling back to the state before it" in capsys.readouterr().err
