"""Verification of an export: what a server would refuse or answer wrongly is found before it is published."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path

from rnnapps.errors import ExportError
from rnnapps.export.answers import BATCH, Answer, Example, Request, check_answers, plan
from rnnapps.export.checks import Check, VerificationReport, check
from rnnapps.export.contents import contents_check
from rnnapps.export.isolated import IsolatedResult, run_isolated
from rnnapps.export.layout import layout_checks
from rnnapps.export.manifest import Manifest, check_files, read_manifest
from rnnapps.export.provenance import signature_check
from rnnapps.export.signature_file import signature_failures
from rnnapps.export.stored_examples import load_example
from rnnapps.export.versions import find_version

__all__ = ["verify"]


def verify(
    path: Path | str,
    *,
    tolerance: float = 1e-5,
    timeout_seconds: float = 900.0,
    allow: Set[str] = frozenset(),
    key: Path | str | None = None,
) -> VerificationReport:
    """Verifies an exported model without importing TensorFlow into this process.

    The files are compared with their sums; the graph is read against static rules, an allow-list of operations among
    them; if all of that holds, a fresh process without Python TensorFlow loads the model through the C API, as
    TensorFlow Serving does, and runs every signature on its stored examples: at batch 5, 2 and 1 (equal to the Keras
    model, and each row the same in any batch), with rows padded as a batching server pads them, a second time, with a
    bad row in many ways, without any row, and the warm-up requests. Nothing that failed is loaded or run.

    Args:
        path: a version folder, or the folder of versions, whose newest one is taken.
        tolerance: largest difference of floats, relative to the largest value of an output (or to 1).
        timeout_seconds: time for all runs together.
        allow: operations that the graph may hold beside those of rnnapps' own exports. Whatever is named here, only
            operations that do nothing but compute are let through.
        key: the public key that the manifest must be signed with; None to take it unsigned.

    Raises:
        ExportError: there is no export at `path`, or the key cannot be read.
    """
    folder = find_version(path)
    manifest, files = _check_files(folder)
    examples, failures = _load_examples(folder, manifest)
    requests = [request for example in examples for request in plan(example, _input_shapes(manifest, example))]
    signed = [signature_check(folder, key)] if key is not None else []
    told = signature_failures(folder, manifest) if manifest else ()
    descriptions = check("descriptions", told, "what clients are told is what the manifest says")
    before = [*signed, files, *layout_checks(folder), contents_check(folder), descriptions]
    result = run_isolated(
        folder,
        [request.run for request in requests],
        timeout_seconds=timeout_seconds,
        allow=allow,
        failed=[item.name for item in before if not item.passed],
    )
    load = check("loads", [result.load_error] if not result.loaded else [], "through the C API, without Python")
    checks = [*before, *result.checks, load]
    if result.loaded:
        failures += _missing_examples(examples, result)
        checks.append(check("examples", failures, f"{BATCH} rows for each of {len(examples)} signatures"))
        checks.append(_check_runs(requests, result))
        pairs = zip(requests, result.outputs, strict=True)
        answers = [Answer(request, outputs) for request, outputs in pairs if outputs is not None]
        checks += check_answers(answers, tolerance)
        checks.append(_check_warmup(result))
    return VerificationReport(folder, tuple(checks))


def _load_examples(folder: Path, manifest: Manifest | None) -> tuple[list[Example], list[str]]:
    """The stored examples of all signatures, and what is wrong with them."""
    examples, failures = [], []
    for name in sorted(manifest.signatures) if manifest else []:
        try:
            example = load_example(folder, name)
        except ExportError as error:
            failures.append(str(error))
            continue
        if any(array.shape[:1] != (BATCH,) for array in example.inputs.values()):
            failures.append(f"signature {name!r}: expected {BATCH} rows of examples; export the model again")
        else:
            examples.append(example)
    return examples, failures


def _input_shapes(manifest: Manifest | None, example: Example) -> dict[str, list[int | None]]:
    """Declared shape of each input of a signature."""
    inputs = manifest.signatures[example.signature]["inputs"] if manifest else {}
    return {name: item["shape"] for name, item in inputs.items()}


def _check_files(folder: Path) -> tuple[Manifest | None, Check]:
    try:
        manifest = read_manifest(folder)
    except ExportError as error:
        return None, Check("files", False, str(error))
    return manifest, check(
        "files", check_files(folder, manifest), f"{len(manifest.files)} files with the right SHA-256"
    )


def _missing_examples(examples: Sequence[Example], result: IsolatedResult) -> list[str]:
    """Signatures that cannot be judged, because nothing says what they should answer."""
    known = {example.signature for example in examples}
    missing = sorted(set(result.signatures) - known)
    return [
        f"signature {name!r}: has no stored examples, so it was not run; export the model again" for name in missing
    ]


def _check_runs(requests: Sequence[Request], result: IsolatedResult) -> Check:
    failures = [
        f"signature {request.run.signature!r}, {request.run.label}: {error}"
        for request, error in zip(requests, result.run_errors, strict=True)
        if error
    ]
    return check("runs", failures, f"{len(requests)} requests at batch 0, 1, 2 and {BATCH}")


def _check_warmup(result: IsolatedResult) -> Check:
    not_reached = ["the process ended before the warm-up requests"] if result.warmup_count < 0 else []
    return check("warm-up", [*not_reached, *result.warmup_failures], f"{result.warmup_count} requests answered")
