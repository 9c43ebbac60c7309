"""`assets.extra/signatures.json`: what clients, pages and people must know of a model to ask it something."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnnapps.contract.served import SIGNATURES_FORMAT, ServedSignature, ServedTensor, Signatures
from rnnapps.contract.tensor_names import STATE, next_state
from rnnapps.errors import ExportError
from rnnapps.export.manifest import Manifest

__all__ = [
    "SIGNATURES",
    "pairing_failures",
    "parse_signatures",
    "read_signatures",
    "signature_failures",
    "signatures_text",
]

SIGNATURES = "assets.extra/signatures.json"
_MAXIMUM_BYTES = 16 * 1024**2
_AGAIN = "export the model again with this version"


def signatures_text(signatures: Signatures) -> str:
    """The file's content."""
    return json.dumps(asdict(signatures, dict_factory=_said), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_signatures(folder: Path) -> Signatures:
    """Reads the file of a version folder.

    Raises:
        ExportError: it is missing, cannot be read, or is of another format.
    """
    path = folder / SIGNATURES
    try:
        if path.stat().st_size > _MAXIMUM_BYTES:
            raise ExportError(f"{path}: larger than {_MAXIMUM_BYTES >> 20} MiB; {_AGAIN}")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ExportError(f"{path}: cannot be read ({error.strerror}); {_AGAIN}") from error
    except UnicodeDecodeError:
        raise ExportError(f"{path}: is not UTF-8; {_AGAIN}") from None
    try:
        return parse_signatures(text)
    except ExportError as error:
        raise ExportError(f"{path}: {error}; {_AGAIN}") from error


def parse_signatures(text: str) -> Signatures:
    """The content of a file.

    Raises:
        ExportError: it is not of this format.
    """
    try:
        values = json.loads(text)
        if values["format"] != SIGNATURES_FORMAT:
            raise ExportError(f"format {values['format']!r} found, {SIGNATURES_FORMAT} expected")
        values["signatures"] = {name: _signature(entry) for name, entry in values["signatures"].items()}
        return Signatures(**values)
    except (ValueError, RecursionError) as error:
        raise ExportError(f"not valid JSON ({error})") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise ExportError(f"missing or unknown entry ({error})") from error


def signature_failures(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yields a line for each thing that the file tells clients and that the manifest does not bear out."""
    try:
        told = read_signatures(folder)
    except ExportError as error:
        yield str(error)
        return
    found = {name: _shapes(signature) for name, signature in told.signatures.items()}
    for name in sorted(found.keys() | manifest.signatures.keys()):
        if found.get(name) != manifest.signatures.get(name):
            yield f"{SIGNATURES}: signature {name!r} is not that of the manifest; {_AGAIN}"
    for name, tensors in sorted(found.items()):
        yield from pairing_failures(name, tensors["inputs"], tensors["outputs"])


def pairing_failures(name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Iterator[str]:
    """Yields a line for each name that breaks the rules of states.

    Args:
        name: of the signature.
        inputs: name -> what must be the same of a state and the one that follows it.
        outputs: likewise.
    """
    where = f"signature {name!r}"
    for both in sorted(inputs.keys() & outputs.keys()):
        yield f"{where}: {both!r} is an input and an output; give the output a name of its own"
    for state in sorted(key for key in inputs if key.startswith(STATE)):
        after = next_state(state)
        if after not in outputs:
            yield f"{where}, input {state!r}: no output {after!r} found; return what the next request takes"
        elif inputs[state] != outputs[after]:
            yield f"{where}, output {after!r}: {outputs[after]} found, {inputs[state]} expected as input {state!r} is"


def _signature(entry: Mapping[str, Any]) -> ServedSignature:
    """A signature as the file has it."""
    tensors = {kind: {name: ServedTensor(**values) for name, values in entry[kind].items()} for kind in _KINDS}
    return ServedSignature(
        entry["summary"], tensors["inputs"], tensors["outputs"], list(entry["problems"]), entry["begins"]
    )


def _shapes(signature: ServedSignature) -> dict[str, dict[str, dict[str, Any]]]:
    """Types and shapes as the manifest has them."""
    kinds = {"inputs": signature.inputs, "outputs": signature.outputs}
    return {
        kind: {name: {"dtype": tensor.dtype, "shape": tensor.shape} for name, tensor in tensors.items()}
        for kind, tensors in kinds.items()
    }


_SILENT: dict[str, Any] = {"least": None, "most": None, "missing": False, "default": None, "next": "", "zero": None}
_KINDS = ("inputs", "outputs")


def _said(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A tensor's entries without those that say nothing; all others as they are."""
    return {name: value for name, value in pairs if name not in _SILENT or value is not _SILENT[name]}
