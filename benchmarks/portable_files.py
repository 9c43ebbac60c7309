"""The files of one signature for other runtimes, each ready to be called and timed."""

from __future__ import annotations

import contextlib
import io
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.errors import ExportError
from rnnapps.portable.formats import FORMATS
from rnnapps.portable.static import StaticGraph
from rnnapps.types import Array, Arrays

__all__ = ["KINDS", "PortableFile", "Run", "medians", "written"]

KINDS = {"ONNX": ("onnx", False), "LiteRT": ("litert", False), "LiteRT int8": ("litert", True)} | {
    "C": ("c", False),
    "C int8": ("c", True),
}
"""What it is called in tables -> its format, and whether its weights have 8 bits."""

Run = Callable[[Arrays], Mapping[str, Array]]
TURNS = 7

DRIVER = """\
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "{name}.h"
static {name}_state state; static {name}_work work; static {name}_input input; static {name}_output output;
int main(void) {{
{fill}
    {name}_reset(&state);
    for (int turn = 0; turn < {turns}; ++turn) {{
        struct timespec begun, ended;
        clock_gettime(CLOCK_MONOTONIC, &begun);
        for (int n = 0; n < {calls}; ++n) {{ {name}_step(&state, &work, &input, &output); }}
        clock_gettime(CLOCK_MONOTONIC, &ended);
        printf("%.9f\\n", ((ended.tv_sec - begun.tv_sec) + 1e-9 * (ended.tv_nsec - begun.tv_nsec)) / {calls});
    }}
    return 0;
}}
"""
CTYPES = {"float32": "float", "float64": "double", "int32": "int32_t", "int64": "int64_t"} | {
    "uint8": "uint8_t",
    "bool": "uint8_t",
}


@dataclass(frozen=True)
class PortableFile:
    """A file that answers as the model does.

    Attributes:
        path: the file; of C the source.
        bytes: its size; of C that of constants and machine code.
        difference: from the Keras model, see `rnnapps.portable.parity`.
        run: answers a row.
    """

    path: Path
    bytes: int
    difference: float
    run: Run

    def seconds(self, static: StaticGraph, calls: int) -> float | None:
        """Seconds of a call of a C program, measured in C; None of others, which `medians` calls from Python."""
        return _native_seconds(self.path, static, calls) if self.path.suffix == ".c" else None


def written(static: StaticGraph, folder: Path, name: str) -> tuple[dict[str, PortableFile], dict[str, str]]:
    """Writes a signature in all formats.

    Args:
        static: the signature.
        folder: an empty one.
        name: of the model.

    Returns:
        Kind -> file, of those that can be had; and kind -> the line that says why not.
    """
    files: dict[str, PortableFile] = {}
    refused: dict[str, str] = {}
    for form in dict.fromkeys(form for form, _ in KINDS.values()):
        if not FORMATS[form].takes(static.name):
            continue
        said = io.StringIO()
        (folder / form).mkdir(parents=True)
        try:
            with contextlib.redirect_stderr(said):
                entries = FORMATS[form].write(static, folder / form, name)
        except ExportError as error:
            entries = []
            said.write(f"{error}\n")
        for kind, (own, small) in KINDS.items():
            found = [entry for entry in entries if own == form and ("_int8." in entry["files"][0]) == small]
            if found:
                size = found[0].get("bytes") or found[0]["tables"] + found[0]["code"]
                path = folder / form / found[0]["files"][0]
                files[kind] = PortableFile(path, size, found[0]["difference"], _run(path, static, small))
            elif own == form:
                refused[kind] = next(iter(reversed(said.getvalue().splitlines())), "no matrix is large enough")
    return files, refused


def _run(path: Path, static: StaticGraph, small: bool) -> Run:
    """A file in its runtime."""
    if path.suffix == ".onnx":
        from rnnapps.portable.onnx_files import OnnxRun

        return OnnxRun(path.read_bytes())
    if path.suffix == ".tflite":
        from rnnapps.portable.litert_files import LiteRun

        return LiteRun(path.read_bytes())
    from rnnapps.portable.c.compiler import compile_graph
    from rnnapps.portable.c.native import NativeStep, compile_library
    from rnnapps.portable.c.source import sources

    compiled = compile_graph(static, int8=small)
    texts = sources(compiled, path.stem, path.stem)
    folder = path.parent / f"{path.stem}_library"
    folder.mkdir()
    native = NativeStep(compile_library(texts, folder), compiled, path.stem, texts.figures.work)
    return lambda inputs: native(**inputs)


def medians(runs: Mapping[str, Callable[[], object]], calls: int) -> dict[str, float]:
    """Seconds of a call: the contestants take turns, so that a busy moment meets all of them.

    Args:
        runs: name -> one call.
        calls: of each, in so many turns as there are, after one that does not count.
    """
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for call in runs.values():
        call()
    for _ in range(TURNS):
        for name, call in runs.items():
            begun = time.perf_counter()
            for _ in range(max(calls // TURNS, 1)):
                call()
            taken[name].append((time.perf_counter() - begun) / max(calls // TURNS, 1))
    return {name: statistics.median(own) for name, own in taken.items()}


def _native_seconds(path: Path, static: StaticGraph, calls: int) -> float:
    """Of a program compiled for this machine with -O2, given the first example again and again."""
    inputs = {name: static.cases[0].inputs[name] for name in static.arguments}
    fill = "\n".join(_filled(name, array) for name, array in inputs.items())
    driver, program = path.with_name(f"{path.stem}_driver.c"), path.with_name(f"{path.stem}_driver")
    text = DRIVER.format(name=path.stem, fill=fill, turns=TURNS, calls=max(10 * calls // TURNS, 1))
    driver.write_text(text, encoding="utf-8")
    flags = ["-std=c99", "-D_POSIX_C_SOURCE=200112L", "-O2", "-I", str(path.parent)]
    subprocess.run(["cc", *flags, "-o", str(program), str(driver), str(path), "-lm"], check=True)
    told = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    return statistics.median(map(float, told.split()))


def _filled(name: str, array: Array) -> str:
    """The lines that put an array into the input of a step."""
    plain: list[Any] = np.nan_to_num(array.astype(float if array.dtype.kind == "f" else int)).ravel().tolist()
    values = ", ".join(map(repr, plain))
    kind = CTYPES[array.dtype.name]
    return f"    static const {kind} {name}[] = {{{values}}};\n    memcpy(input.{name}, {name}, sizeof input.{name});"
