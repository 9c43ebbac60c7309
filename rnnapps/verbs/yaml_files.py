"""Configurations as YAML files: read with the line of each key, and written."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rnnapps.errors import ConfigError
from rnnapps.verbs.settings import Setting, flatten, nearest, nest

if TYPE_CHECKING:
    import yaml

__all__ = ["dump", "read", "read_pipeline_name"]

PIPELINE_KEY = "pipeline"
TIMESTAMP = "tag:yaml.org,2002:timestamp"


def dump(pipeline_name: str, config: Any) -> str:
    """The configuration as YAML, its pipeline named first."""
    import yaml

    content = {PIPELINE_KEY: pipeline_name, **nest(flatten(config))}
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def read(path: str | Path, known: Iterable[str], *, pipeline_name: str) -> dict[str, Setting]:
    """Reads a YAML configuration file; what looks like a date is the text that stands there.

    Args:
        path: the file.
        known: every dotted key the configuration has.
        pipeline_name: the only value allowed for the optional key `pipeline`.

    Raises:
        ConfigError: the file is missing, is not YAML, or has a key that does not exist or occurs twice.
    """
    path = Path(path)
    loader, root = _parsed(path)
    settings = dict(_walk(path, loader, root, known=set(known))) if root else {}
    named = settings.pop(PIPELINE_KEY, None)
    if named and named.value != pipeline_name:
        raise ConfigError(f"{named.place}: this is for the pipeline '{named.value}', not '{pipeline_name}'")
    return settings


def read_pipeline_name(path: Path) -> str:
    """The pipeline that a configuration file is for.

    Raises:
        ConfigError: the file cannot be read, or does not say.
    """
    _loader, root = _parsed(path)
    pairs = root.value if root and isinstance(root.value, list) else []
    names = [
        value.value for key, value in (pair for pair in pairs if isinstance(pair, tuple)) if key.value == PIPELINE_KEY
    ]
    if len(names) != 1 or not isinstance(names[0], str):
        raise ConfigError(f"{path}: does not say which pipeline it is for; it needs a line `pipeline: NAME`")
    return names[0]


def _parsed(path: Path) -> tuple[yaml.SafeLoader, Any]:
    """A loader, and the root of the file's nodes; None for an empty file."""
    import yaml

    try:
        loader = _loader_class()(path.read_text(encoding="utf-8"))
        return loader, loader.get_single_node()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{path}: cannot read the configuration: {reason}; name a YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        raise ConfigError(f"{path}:{line} not YAML: {getattr(error, 'problem', None) or 'cannot be parsed'}") from None
    except RecursionError:
        raise ConfigError(
            f"{path}: not YAML of settings: its brackets are nested too deep; write `key: value` lines"
        ) from None


@functools.cache
def _loader_class() -> type[yaml.SafeLoader]:
    """YAML without dates: settings are texts, numbers, truth values and lists."""
    import yaml

    class SettingLoader(yaml.SafeLoader):
        yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
            first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return SettingLoader


def _walk(path: Path, loader: Any, node: Any, *, known: set[str], prefix: str = "") -> Iterator[tuple[str, Setting]]:
    """Dotted key and setting of every line of a mapping."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        name = prefix.rstrip(".") or "the file"
        raise ConfigError(f"{path}: line {node.start_mark.line + 1}: {name} must hold `key: value` lines")
    seen = set()
    for key_node, value_node in node.value:
        place = f"{path}: line {key_node.start_mark.line + 1}"
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError(f"{place}: a key must be a name, not a list or a mapping")
        key = f"{prefix}{key_node.value}"
        if key in seen:
            raise ConfigError(f"{place}: '{key}' occurs twice; remove one of them")
        seen.add(key)
        if key in known or key == PIPELINE_KEY:
            yield key, Setting(_value(loader, value_node, f"{place}: {key}"), place)
        elif any(other.startswith(f"{key}.") for other in known):
            yield from _walk(path, loader, value_node, known=known, prefix=f"{key}.")
        else:
            raise ConfigError(f"{place}: unknown key '{key}'{nearest(key, known)}")


def _value(loader: Any, node: Any, place: str) -> Any:
    """The value of a node; the errors of YAML's constructors in words."""
    import yaml

    try:
        value = loader.construct_object(node, deep=True)
    except (ValueError, TypeError, OverflowError, RecursionError, yaml.YAMLError) as error:
        shown = repr(str(node.value)[:40]) if isinstance(node, yaml.ScalarNode) else "what stands there"
        raise ConfigError(f"{place}: {shown} is no value ({type(error).__name__}); correct the line") from None
    if isinstance(value, str) and "\0" in value:
        raise ConfigError(f"{place}: holds a zero byte, which no path or text may; remove it")
    return value
