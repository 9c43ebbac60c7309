"""Pipelines and their configurations, found by name."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from rnnapps.errors import ConfigError
from rnnapps.tasks.text_generation.pipeline import PIPELINE as TEXT
from rnnapps.verbs.pipelines import (
    PIPELINE_GROUP,
    configurations,
    find_configuration,
    find_pipeline,
    pipeline_entries,
)
from tests.cli.tiny_pipeline import TINY


def offer(patch: pytest.MonkeyPatch, value: str, name: str = "tiny") -> None:
    entry = EntryPoint(name, value, PIPELINE_GROUP)
    patch.setattr("rnnapps.verbs.pipelines.entry_points", lambda group: [entry] if group == PIPELINE_GROUP else [])


def test_a_package_offers_a_pipeline_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "tests.cli.tiny_pipeline:TINY")
    assert list(pipeline_entries()) == ["tiny"]
    assert find_pipeline("tiny") is TINY


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("tests.cli.no_such_module:TINY", "(tests.cli.no_such_module:TINY) cannot be loaded: ModuleNotFoundError: No"),
        ("tests.cli.tiny_pipeline:NONE", "cannot be loaded: AttributeError"),
        ("tests.cli.tiny_pipeline:Tiny", "tests.cli.tiny_pipeline:Tiny: is no Pipeline; name an instance"),
    ],
)
def test_a_pipeline_that_cannot_be_used_is_one_line(value: str, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, value)
    with pytest.raises(ConfigError) as caught:
        find_pipeline("tiny")
    assert problem in str(caught.value) and "\n" not in str(caught.value)


def test_an_unknown_name_is_told_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "tests.cli.tiny_pipeline:TINY")
    with pytest.raises(ConfigError, match=r"no pipeline is called 'tinny'; did you mean 'tiny'\?"):
        find_pipeline("tinny")
    with pytest.raises(ConfigError, match="no pipeline is called 'zzz'; there are tiny"):
        find_pipeline("zzz")
    monkeypatch.setattr("rnnapps.verbs.pipelines.entry_points", lambda group: [])
    with pytest.raises(ConfigError, match="there are none: install the package"):
        find_pipeline("tiny")


def test_a_configuration_is_found_by_name_or_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert {"demo", "quick"} <= set(configurations(TEXT))
    assert find_configuration(TEXT, "demo") == configurations(TEXT)["demo"]
    own = tmp_path / "demo"
    own.write_text("seed: 1\n")
    assert find_configuration(TEXT, "demo").resolve() == own  # a file of the user's own goes first
    assert find_configuration(TEXT, "other.yaml") == Path("other.yaml")  # its reader tells that it is missing


def test_an_unknown_configuration_is_told_with_the_nearest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"--config demmo: no such file, and no configuration .* mean 'demo'\?"):
        find_configuration(TEXT, "demmo")
    with pytest.raises(ConfigError, match=r"--config zzz: .* of text_generation; it has .*demo"):
        find_configuration(TEXT, "zzz")
