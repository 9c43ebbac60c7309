"""Which versions are served while folders come, go and are bad."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from rnnapps.errors import ConfigError, ExportError
from rnnapps.serving.model_config import ModelConfig, find_models, read_model_config
from rnnapps.serving.options import ServeOptions
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.registry import Registry

BAD = "bad"


class Version:
    """Loads any folder but those whose graph says that it is bad."""

    def __init__(self, place: Any, *_: Any) -> None:
        self.place, self.state, self.error, self.signatures = place, "START", "", {}
        self.waiting_rows = 0

    @property
    def answers(self) -> bool:
        return bool(self.signatures) and self.state in ("AVAILABLE", "LOADING")

    async def load(self) -> bool:
        await asyncio.sleep(0)
        good = (self.place.folder / "saved_model.pb").read_text() != BAD
        self.state, self.error = ("AVAILABLE", "") if good else ("END", "it is bad")
        self.signatures = {"serving_default": None} if good else {}
        return good

    async def unload(self) -> None:
        self.state = "END"


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnapps.serving.registry.ServedVersion", Version)


def write(base: Path, number: int, content: str = "good") -> Path:
    folder = base / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_text(content)
    return folder


def remove(folder: Path) -> None:
    (folder / "saved_model.pb").unlink()
    folder.rmdir()


def registry(*configs: ModelConfig) -> Registry:
    return Registry(lambda: list(configs), ServeOptions(), None)  # type: ignore[arg-type]


def answering(models: Registry, name: str = "a", **asked: Any) -> int:
    return models.find(name, **asked).place.number


def test_the_newest_version_answers_and_the_older_one_goes(tmp_path: Path) -> None:
    models = registry(ModelConfig("a", tmp_path))
    write(tmp_path, 1)
    asyncio.run(models.poll())
    assert answering(models) == 1
    write(tmp_path, 10)
    asyncio.run(models.poll())
    assert answering(models) == 10
    with pytest.raises(Refusal, match=r"Specific\(a, 1\)"):
        models.find("a", 1)


def test_a_bad_version_is_refused_once_and_the_old_one_answers(tmp_path: Path) -> None:
    models = registry(ModelConfig("a", tmp_path))
    write(tmp_path, 1)
    write(tmp_path, 2, BAD)
    asyncio.run(models.poll())
    assert not [item for item in models if item.state == "AVAILABLE"]
    write(tmp_path, 2)
    asyncio.run(models.poll())
    assert answering(models) == 2
    write(tmp_path, 3, BAD)
    for _ in range(2):
        asyncio.run(models.poll())
        assert answering(models) == 2
    refused = models.status("a")[0]
    assert (refused.place.number, refused.state, refused.error) == (3, "END", "it is bad")
    assert models.ready
    kept = refused
    asyncio.run(models.poll())
    assert models.status("a")[0] is kept  # it was not tried again
    write(tmp_path, 3, "good now")
    asyncio.run(models.poll())
    assert answering(models) == 3


def test_a_version_whose_folder_goes_is_unloaded(tmp_path: Path) -> None:
    models = registry(ModelConfig("a", tmp_path))
    write(tmp_path, 1)
    folder = write(tmp_path, 2)
    asyncio.run(models.poll())
    remove(folder)
    asyncio.run(models.poll())
    assert answering(models) == 1
    remove(tmp_path / "1")
    asyncio.run(models.poll())
    with pytest.raises(Refusal) as caught:
        models.find("a")
    assert caught.value.code is Code.NOT_FOUND


def test_labels_and_policies(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write(tmp_path / "a", number)
    write(tmp_path / "b", 1)
    file = tmp_path / "models.config"
    file.write_text(
        f"""model_config_list {{
          config {{ name: "a" base_path: "{tmp_path}/a" model_platform: "tensorflow"
            model_version_policy {{ specific {{ versions: 1 versions: 3 }} }}
            version_labels {{ key: "stable" value: 1 }} version_labels {{ key: "canary" value: 3 }} }}
          config {{ name: "b" base_path: "{tmp_path}/b" model_version_policy {{ all {{}} }} }} }}"""
    )
    models = registry(*read_model_config(file))
    asyncio.run(models.poll())
    assert [answering(models), answering(models, label="stable"), answering(models, label="canary")] == [3, 1, 3]
    assert [item.place.number for item in models.status("a", label="stable")] == [1]
    assert answering(models, "b") == 1
    with pytest.raises(Refusal):
        models.find("a", 2)


def test_latest_versions_by_number(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        write(tmp_path, number)
    assert sorted(ModelConfig("a", tmp_path, latest=2).wanted()) == [2, 10]
    assert sorted(ModelConfig("a", tmp_path, latest=0).wanted()) == [1, 2, 10]
    (tmp_path / "11").mkdir()  # nothing in it yet
    assert sorted(ModelConfig("a", tmp_path).wanted()) == [10]


def test_folders_of_models_of_versions_and_one_version(tmp_path: Path) -> None:
    version = write(tmp_path / "a", 7)
    write(tmp_path / ".a.exporting-x", 1)
    (tmp_path / "empty").mkdir()
    assert [config.name for config in find_models(tmp_path)] == ["a"]
    assert [config.name for config in find_models(tmp_path / "a")] == ["a"]
    (config,) = find_models(version)
    assert (config.name, dict(config.wanted())) == ("a", {7: version})
    with pytest.raises(ExportError, match="no such folder"):
        find_models(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("models: 1", "is no `model_config_list`"),
        ('model_config_list { config { name: "a" base_path: "/none" } }', "an existing folder, found '/none'"),
    ],
)
def test_a_bad_configuration_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "models.config").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_model_config(tmp_path / "models.config")
    assert told in str(caught.value)


def test_what_is_being_loaded_asks_for_patience(tmp_path: Path) -> None:
    models = registry(ModelConfig("a", tmp_path))
    with pytest.raises(Refusal) as caught:
        models.find("a")
    assert (caught.value.code, caught.value.retry_seconds) == (Code.UNAVAILABLE, 1)


def test_a_folder_that_cannot_be_read_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def watch() -> None:
        models = Registry(lambda: find_models(tmp_path / "none"), ServeOptions(poll_seconds=0.001), None)  # type: ignore[arg-type]
        watching = asyncio.create_task(models.watch())
        await asyncio.sleep(0.05)
        assert not watching.done()
        watching.cancel()

    with caplog.at_level(logging.ERROR, "rnnapps.serving"):
        asyncio.run(watch())
    assert any("no such folder" in str(record.__dict__["reason"]) for record in caplog.records)
