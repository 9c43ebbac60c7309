"""Files of settings: what strangers write into them is read, or told in one line with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnapps.cli.main import main
from rnnapps.errors import ConfigError
from rnnapps.verbs import yaml_files

KNOWN = ("data.source", "data.validation_from", "seed")


def read(path: Path, text: str) -> dict[str, object]:
    path.write_text(text)
    return {key: setting.value for key, setting in yaml_files.read(path, KNOWN, pipeline_name="toy").items()}


def test_dates_are_the_text_that_stands_there(tmp_path: Path) -> None:
    found = read(tmp_path / "a.yaml", "data:\n  validation_from: 2024-01-01\n  source: 2024-02-30T10:00:00\n")
    assert found == {"data.validation_from": "2024-01-01", "data.source": "2024-02-30T10:00:00"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('seed: !!int "abc"', "line 1: seed: 'abc' is no value"),
        ('seed: !!float "x"', "line 1: seed: 'x' is no value"),
        (f"seed: {'9' * 5000}", "line 1: seed: '9999999999999999999999999999999999999999' is no value"),
        ("seed: !!python/object:os.system x", "line 1: seed: 'x' is no value"),
        ('data: {source: "a\\0b"}', "line 1: data.source: holds a zero byte"),
        ("? [a, b]", "line 1: a key must be a name"),
        ("seed: " + "[" * 3000, "a.yaml"),
        ("[" * 3000 + "]" * 3000, "nested too deep"),
        ("- a", "the file must hold `key: value` lines"),
    ],
)
def test_what_is_no_setting(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "a.yaml", text)
    assert told in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "seed: 1", "pipeline: [a]", "- a", "[" * 3000, "pipeline: a\npipeline: b"])
def test_a_file_that_names_no_pipeline(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        yaml_files.read_pipeline_name(tmp_path / "config.yaml")


@pytest.mark.parametrize("text", ["seed: 2024-13-45", "data: {validation_from: 2024-02-30}"])
def test_values_that_cannot_be_are_one_line_of_the_command(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert main(["forecasting", "train", "--config", str(tmp_path / "a.yaml"), "--print_config"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and "unexpected" not in line


@pytest.mark.parametrize("argv", [["train", " "], ["train", "\t"], ["train", "--run", ""], ["export", "--to", " "]])
def test_words_of_nothing_are_one_line(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text_generation", *argv]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and "unexpected IndexError" not in line


def test_a_source_of_nothing_is_not_the_current_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("a text that must not be read " * 100)
    monkeypatch.chdir(tmp_path)
    assert main(["text_generation", "train", "--data.source", "", "--run", "run"]) == 2
    assert "data.source must name a source" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
