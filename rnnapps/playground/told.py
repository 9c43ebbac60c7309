"""What an export tells of itself on its page: signatures, model card, vocabularies and scales, stored examples."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.tensor_names import STATE
from rnnapps.errors import ExportError
from rnnapps.export.artefact import CONFIG, PREPROCESSING
from rnnapps.export.manifest import EXTRA
from rnnapps.export.signature_file import SIGNATURES, read_signatures
from rnnapps.export.stored_examples import load_example
from rnnapps.serving.json_answers import to_json

if TYPE_CHECKING:
    from rnnapps.serving.registry import Registry

__all__ = ["told_model", "told_models"]

_MODEL_CARD = f"{EXTRA}/model_card.md"
_LARGEST_TEXT = 4 * 1024**2
_LARGEST_EXAMPLE = 100_000
"""Numbers of an input; larger ones are no example for a form."""


def told_models(registry: Registry) -> dict[str, Any]:
    """Which models there are.

    Args:
        registry: knows them.

    Returns:
        `models`, name and newest version of those that answer, one whose process is being started again among them;
        `loading`, the names of those that do not yet; `refused`, names and reasons of those that never will as they
        are; `complete`, whether all folders were looked at.
    """
    versions = sorted(registry, key=lambda version: (version.place.model, version.place.number))
    served = {version.place.model: version.place.number for version in versions if version.answers}
    others = [version for version in versions if version.place.model not in served]
    loading = sorted({version.place.model for version in others if version.state in ("START", "LOADING")})
    reasons = {version.place.model: version.error for version in others if version.error}
    return {
        "models": [{"name": name, "version": number} for name, number in served.items()],
        "loading": loading,
        "refused": [{"name": name, "reason": reason} for name, reason in reasons.items() if name not in loading],
        "complete": registry.polled,
    }


def told_model(folder: Path) -> dict[str, Any]:
    """What a page needs to know of a version.

    Args:
        folder: of the version; it is as `verify` wants it, or older.

    Returns:
        `signatures`, the content of `signatures.json`, None where the export has none; `card`, Markdown; `settings` of
        the run, but for its data; `preprocessing`, path -> content of its JSON files; `examples`, signature -> requests
        of one row.
    """
    signatures = _json_file(folder / SIGNATURES)
    return {
        "signatures": signatures,
        "card": _text(folder / _MODEL_CARD),
        "settings": _settings(folder / EXTRA / CONFIG),
        "preprocessing": dict(_preprocessing(folder / EXTRA / PREPROCESSING)),
        "examples": dict(_examples(folder)),
    }


def _settings(path: Path) -> dict[str, Any]:
    """Settings as the configuration has them, without those that name files of whoever trained the model."""
    import yaml

    try:
        settings = yaml.safe_load(_text(path))
    except yaml.YAMLError:
        return {}
    return {key: value for key, value in settings.items() if key != "data"} if isinstance(settings, dict) else {}


def _preprocessing(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.rglob("*.json")):
        content = _json_file(path)
        if content is not None:
            yield path.relative_to(folder).as_posix(), content


def _examples(folder: Path) -> Iterator[tuple[str, Any]]:
    """The stored requests of each signature, but for states: those are zeros, or come from an answer."""
    try:
        told = read_signatures(folder)
    except ExportError:
        return
    for name in told.signatures:
        try:
            inputs = load_example(folder, name).inputs
        except ExportError:
            continue
        known = {key: array for key, array in inputs.items() if not key.startswith(STATE)}
        if all(math.prod(array.shape[1:]) <= _LARGEST_EXAMPLE for array in known.values()):
            rows = len(next(iter(inputs.values()), ()))
            yield (
                name,
                [{key: to_json(key, array[row : row + 1])[0] for key, array in known.items()} for row in range(rows)],
            )


def _json_file(path: Path) -> Any:
    text = _text(path)
    return json.loads(text) if text else None


def _text(path: Path) -> str:
    """A text file; nothing where there is none, or one that no page would show."""
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _LARGEST_TEXT else ""
    except (OSError, UnicodeDecodeError):
        return ""
