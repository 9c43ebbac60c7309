"""Settings, help and errors: what a user of the command line meets first."""

from __future__ import annotations

import subprocess
import sys
import typing
from pathlib import Path

from rnnapps.cli.verb_table import VERBS
from rnnapps.errors import ConfigError
from rnnapps.ranges import Choices
from rnnapps.search.space import declared_space
from rnnapps.testing.pipelines.subject import PipelineSubject
from rnnapps.verbs import settings, yaml_files
from rnnapps.verbs.configure import configure, read_configuration

__all__ = ["check_config", "check_errors", "check_help", "check_ranges"]

HEAVY = ("tensorflow", "keras", "pandas", "matplotlib")


def check_config(subject: PipelineSubject) -> None:
    """A configuration is the same after it was written and read, and `--print_config` prints it."""
    pipeline, config = subject.pipeline, subject.config
    file = subject.folder / "config.yaml"
    file.write_text(yaml_files.dump(pipeline.name, config), encoding="utf-8")
    again = configure(pipeline, read_configuration(pipeline, file), {})
    assert again == config, f"the configuration changes when it is written to YAML and read: {again} from {config}"
    code, printed, errors = subject.command("train", *subject.flags(), "--print_config")
    assert code == 0, f"train --print_config fails: {errors}"
    assert printed.strip() == yaml_files.dump(pipeline.name, config).strip(), "--print_config prints other settings"
    for group in ("data", "model", "training", "export", "seed"):
        assert hasattr(config, group), f"{type(config).__name__} has no field {group!r}; every pipeline needs it"
    for key in settings.flatten(config):
        assert key.count(".") <= 1, f"{key}: groups of settings are one level deep"


def check_help(subject: PipelineSubject) -> None:
    """Every verb answers `--help` with examples, documents every flag, and loads nothing heavy for it."""
    for verb in VERBS:
        code, text, _ = subject.command(verb, "--help")
        assert code == 0 and f"{subject.pipeline.name} {verb}" in text, f"{verb} --help must show an example"
    module, name = subject.place()
    probe = f"sys.exit(any(name in sys.modules for name in {HEAVY!r}))"
    for what, words in {
        f"import {module}": f"import sys, {module}; {probe}",
        "train --help": f"import sys; from {module} import {name}; from rnnapps.cli.pipeline_cli import main; "
        f"main({name}, ['train', '--help']); {probe}",
    }.items():
        command = [sys.executable, "-c", words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=subject.environment)
        assert done.returncode == 0, (
            f"{what} loads one of {HEAVY}, or fails; import inside methods {done.stderr[-300:]}"
        )
    text = subject.command("train", "--help")[1]
    missing = [key for key in settings.setting_types(subject.pipeline.config_class) if f"--{key}" not in text]
    assert not missing, f"{missing} are no flags of train"


def check_ranges(subject: PipelineSubject) -> None:
    """Both ends of every range, and every choice, that a search would try are settings that the pipeline takes."""
    pipeline, now = subject.pipeline, settings.flatten(subject.config)
    for key, tried in declared_space(pipeline, subject.config).items():
        for value in tried.values if isinstance(tried, Choices) else (tried.low, tried.high):
            try:
                configure(pipeline, now, {key: value})
            except ConfigError as error:
                raise AssertionError(f"a search over {key} would try {value}, which is refused: {error}") from error


def check_errors(subject: PipelineSubject) -> None:
    """What a user can mend ends in one line, exit code 2, and leaves nothing behind."""
    missing = str(subject.folder / "missing")
    cases: list[tuple[list[str], str]] = [
        (["trian"], "train"),
        (["train", "--no_such_flag", "1"], "no_such_flag"),
        (["train", "--data.source", missing, "--run", missing], missing),
        (["train", "--config", missing], missing),
        (["evaluate"], "--run"),
        (["predict", "--run", missing], missing),
        (["finetune", "--from", missing], missing),
        (["export", "--run", missing, "--to", str(subject.folder / "nowhere")], missing),
        *((["train", f"--{key}", "nonsense"], key) for key in _typed(subject)),
    ]
    for argv, named in cases:
        code, printed, errors = subject.command(*argv)
        told = errors.strip().splitlines()
        words = " ".join(argv)
        assert code == 2, f"{words}: exit code {code}, expected 2"
        assert told and told[-1].startswith("error: "), f"{words}: no line that begins with error: but {errors!r}"
        assert not told[-1].startswith("error: unexpected "), f"{words}: not an RnnappsError but {told[-1]}"
        assert not printed, f"{words}: prints {printed[:80]!r} to standard output"
        assert named in told[-1], f"{words}: the error does not name {named!r}: {told[-1]}"
    assert not Path(missing).exists(), "a command that failed has left a folder behind"


def _typed(subject: PipelineSubject) -> list[str]:
    """Settings that take no free text, of which "nonsense" is no value."""
    kinds = settings.setting_types(subject.pipeline.config_class)
    typed = (int, float, bool)
    return [key for key, kind in kinds.items() if kind in typed or typing.get_origin(kind) is typing.Literal]
