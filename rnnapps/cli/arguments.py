"""Flags of the pipeline verbs: from the pipeline's dataclasses and YAML files to one validated configuration."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rnnapps.cli.hints import unknown_flag
from rnnapps.cli.setting_files import read_files
from rnnapps.cli.typed_flags import flag_names, values_of
from rnnapps.cli.verb_table import FLAGS, VERBS, Flag, program
from rnnapps.config import dotted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.verbs import settings
from rnnapps.verbs.configure import options_of_others, refuse_without_effect
from rnnapps.verbs.conversion import TEXTS
from rnnapps.zoo import PREFIX, resolved

if TYPE_CHECKING:
    import jsonargparse

__all__ = ["Arguments", "parse_arguments"]

AnyPipeline = Pipeline[Any, Any, Any]

PRINT_CONFIG = "--print_config"
"""Taken out before parsing: jsonargparse gives the name a meaning of its own."""


@dataclasses.dataclass(frozen=True)
class Arguments:
    """What the command line asks for.

    Attributes:
        config: the whole configuration: defaults, then that of the run or source model, then files, then flags.
        given: dotted keys set by files or flags, as opposed to taken from a default or a run.
        options: the verb's other flags by name, None where not given.
        predict: the pipeline's `Predict` options; None for verbs without.
    """

    config: Any
    given: frozenset[str]
    options: Mapping[str, Any]
    predict: Any


def parse_arguments(pipeline: AnyPipeline, verb: str, argv: Sequence[str]) -> Arguments:
    """Parses the flags of one verb; prints the help and raises SystemExit for `--help`.

    Raises:
        ConfigError: an unknown flag or key, a value of a wrong type or out of range, a missing flag, a broken file.
    """
    kinds = settings.setting_types(pipeline.config_class)
    for dataclass in (pipeline.config_class, pipeline.predict_class):
        settings.resolve_annotations(dataclass)
    parser = _build_parser(pipeline, verb)
    if {"-h", "--help"} & set(argv):
        parser.print_help()
        raise SystemExit(0)
    print_config = PRINT_CONFIG in argv and "print_config" in VERBS[verb].flags
    argv = [token for token in argv if token != PRINT_CONFIG or not print_config]
    inherited, from_files = read_files(pipeline, verb, argv, kinds)
    base = {key: setting.value for key, setting in {**inherited, **from_files}.items()}
    parser.set_defaults({key: value for key, value in base.items() if _takes(pipeline, verb, key)})
    parsed = _parse(parser, pipeline, verb, argv=argv, kinds=kinds).as_dict()
    flags = {key: value for key, value in dotted(parsed).items() if key in kinds and _takes(pipeline, verb, key)}
    changed = {key for key, value in flags.items() if key in flag_names(argv)}
    config = settings.assemble(pipeline.config_class, {**base, **flags})
    given = frozenset(changed | set(from_files))
    refuse_without_effect(pipeline, config, sorted(given))
    options = {**_verb_options(pipeline, verb, parsed), "print_config": print_config}
    return Arguments(config, given, options, _predict_options(pipeline, verb, parsed))


def _build_parser(pipeline: AnyPipeline, verb: str) -> jsonargparse.ArgumentParser:
    import jsonargparse

    class Formatter(jsonargparse.DefaultHelpFormatter, argparse.RawDescriptionHelpFormatter):
        pass

    definition, command = VERBS[verb], f"{program(pipeline)} {verb}"
    parser = jsonargparse.ArgumentParser(
        prog=command,
        usage=f"{command} [flags]",
        description=f"{pipeline.summary}\n\n{verb}: {definition.summary}.",
        epilog="examples:\n" + "\n".join(f"  {line}" for line in definition.examples(pipeline)),
        formatter_class=Formatter,
        exit_on_error=False,
        allow_abbrev=False,
        default_env=False,
    )
    for flag in _switches(pipeline, verb):
        flag.add_to(parser)
    for name in definition.flags:
        FLAGS[name].add_to(parser)
    if definition.predict:
        own = {field.name for field in dataclasses.fields(pipeline.predict_class)}
        parser.add_class_arguments(pipeline.predict_class, skip=own & options_of_others(pipeline, verb))
    fields = {field.name for field in dataclasses.fields(pipeline.config_class)}
    if groups := definition.groups(pipeline):
        parser.add_class_arguments(pipeline.config_class, skip=fields - groups)
        _hide_group_files(parser, fields)
    return parser


def _switches(pipeline: AnyPipeline, verb: str) -> list[Flag]:
    """The pipeline's own switches of `evaluate`."""
    own = pipeline.evaluation_switches.items() if verb == "evaluate" else ()
    return [Flag(name, help, switch=True) for name, help in own]


def _hide_group_files(parser: jsonargparse.ArgumentParser, groups: set[str]) -> None:
    """Leaves `--data FILE` and its like, which jsonargparse adds, out of the help: files come with --config."""
    for action in parser._actions:
        if set(action.option_strings) & {f"--{group}" for group in groups} and action.dest in groups - {"seed"}:
            action.help = argparse.SUPPRESS


def _parse(
    parser: jsonargparse.ArgumentParser,
    pipeline: AnyPipeline,
    verb: str,
    *,
    argv: Sequence[str],
    kinds: Mapping[str, Any],
) -> jsonargparse.Namespace:
    groups = {key.partition(".")[0] for key in kinds if "." in key}
    for name in flag_names(argv) & groups:
        raise ConfigError(f"'--{name}' is a group of flags, --{name}.NAME; settings in files are given with --config")
    try:
        return parser.parse_args(list(_with_texts(argv, kinds)))
    except argparse.ArgumentError as error:
        message = str(error)
    options = typing.get_type_hints(pipeline.predict_class) if VERBS[verb].predict else {}
    all_kinds = {**kinds, **{name: options[name] for name in options.keys() - options_of_others(pipeline, verb)}}
    key = re.search(r'Parser key "([^"]+)"', message)
    if key:
        given = (values_of(argv, key[1]) or [""])[-1]
        kind = settings.describe(all_kinds[key[1]]) if key[1] in all_kinds else "another type"
        raise ConfigError(f"--{key[1]} must be {kind}, not '{given}'")
    unknown = re.search(r"unrecognized arguments: (.*)", message, re.DOTALL)
    if unknown:
        raise ConfigError(
            unknown_flag(pipeline, verb, (unknown[1].split() or [unknown[1]])[0].split("=")[0], all_kinds)
        )
    raise ConfigError(" ".join(message.split()))


def _with_texts(argv: Sequence[str], kinds: Mapping[str, Any]) -> Iterator[str]:
    """The flags, in which the items of lists of texts are quoted, so that `[2, 3]` names columns."""
    lists = {f"--{key}" for key, kind in kinds.items() if kind == TEXTS}
    before = ""
    for token in argv:
        name, equals, value = token.partition("=")
        if before in lists:
            yield _quoted(token)
        else:
            yield f"{name}={_quoted(value)}" if equals and name in lists else token
        before = token


def _quoted(text: str) -> str:
    """A list in YAML with each item as it is written; any other text as it is."""
    import yaml

    try:
        items = yaml.load(text, yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError):
        return text
    return json.dumps(items) if isinstance(items, list) and all(isinstance(item, str) for item in items) else text


def _takes(pipeline: AnyPipeline, verb: str, key: str) -> bool:
    return key.split(".")[0] in VERBS[verb].groups(pipeline)


def _verb_options(pipeline: AnyPipeline, verb: str, parsed: Mapping[str, Any]) -> dict[str, Any]:
    """The verb's own flags by name, once it is known that the required ones are there and folders have names."""
    names = [*VERBS[verb].flags, *(flag.name for flag in _switches(pipeline, verb))]
    options = {name: parsed.get(name) for name in names}
    for name in ("run", "from", "to", "search"):
        if options.get(name) is not None and not str(options[name]).strip():
            raise ConfigError(f"--{name} must name a folder, not {options[name]!r}")
    for name in ("run", "from"):
        if str(options.get(name) or "").startswith(PREFIX):
            options[name] = _zoo_model(verb, name, str(options[name]))
    for name in VERBS[verb].required:
        if not options[name]:
            meaning = FLAGS[name].help.partition(":")[0]
            raise ConfigError(f"{verb} needs --{name} ({meaning}); see {program(pipeline)} {verb} --help")
    return options


def _zoo_model(verb: str, name: str, value: str) -> str:
    """The folder of a trained model, which can be used but not trained on in its place."""
    if name == "run" and "config" in VERBS[verb].flags:
        raise ConfigError(f"--run {value}: {verb} writes there, and this model is to be read only; name a new folder")
    return str(resolved(value))


def _predict_options(pipeline: AnyPipeline, verb: str, parsed: Mapping[str, Any]) -> Any:
    if not VERBS[verb].predict:
        return None
    others = options_of_others(pipeline, verb)
    names = [field.name for field in dataclasses.fields(pipeline.predict_class) if field.name not in others]
    return pipeline.predict_class(**{name: parsed[name] for name in names})
