"""C files compiled by the machine's compiler and called from Python."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.errors import ExportError
from rnnapps.portable.c.compiler import Compiled
from rnnapps.portable.c.memory import View
from rnnapps.portable.c.source import Sources
from rnnapps.types import Array, Arrays

__all__ = ["NativeStep", "code_bytes", "compile_library"]

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2")
_TYPES: dict[str, Any] = {
    "float32": ctypes.c_float,
    "float64": ctypes.c_double,
    "int32": ctypes.c_int32,
    "int64": ctypes.c_int64,
    "uint8": ctypes.c_uint8,
    "bool": ctypes.c_uint8,
}


def compile_library(texts: Sources, folder: Path) -> Path:
    """Compiles a program, with all warnings as errors, to a library that `NativeStep` loads.

    Args:
        texts: the program.
        folder: where its files are written.

    Raises:
        ExportError: there is no C compiler, or it refuses the program.
    """
    for suffix, text in ((".h", texts.header), (".c", texts.source)):
        (folder / f"{texts.name}{suffix}").write_text(text, encoding="utf-8")
    library = folder / f"{texts.name}.so"
    _cc([*FLAGS, "-fPIC", "-shared", "-o", str(library), str(folder / f"{texts.name}.c"), "-lm"])
    return library


def code_bytes(texts: Sources, folder: Path) -> int:
    """Size of the machine code of a step on this machine, compiled for size, its constants apart."""
    target = folder / f"{texts.name}.o"
    _cc(["-std=c99", "-Os", "-c", "-o", str(target), str(folder / f"{texts.name}.c")])
    size = subprocess.run(["size", "-A", str(target)], capture_output=True, text=True, check=True).stdout
    return sum(int(line.split()[1]) for line in size.splitlines() if line.startswith(".text"))


def _cc(arguments: list[str]) -> None:
    command = shlex.split(os.environ.get("CC", "cc"))
    if shutil.which(command[0]) is None:
        raise ExportError(f"{command[0]}: no C compiler found, which C files are tried with; install one, or set CC")
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (
            [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines() or ["no message"]
        )
        raise ExportError(f"the C compiler refuses the program: {lines[0][:300]}")


class NativeStep:
    """A compiled step with a state of its own.

    Args:
        library: from `compile_library`.
        compiled: the program.
        name: prefix of its functions.
    """

    def __init__(self, library: Path, compiled: Compiled, name: str, work: int) -> None:
        functions = ctypes.CDLL(str(library))
        self._step, self._reset = getattr(functions, f"{name}_step"), getattr(functions, f"{name}_reset")
        self._state, self._input, self._output = (
            _structure(fields)() for fields in (compiled.states, compiled.arguments, compiled.results)
        )
        self._fields = compiled.states, compiled.arguments, compiled.results
        self._successors = compiled.static.states
        self._work = ctypes.create_string_buffer(work + 64)
        self.reset()

    def reset(self) -> None:
        """Back to before the first step."""
        self._reset(ctypes.byref(self._state))

    def __call__(self, **inputs: Array) -> Arrays:
        """One step; states that are given replace the step's own. Returns the outputs and the new states."""
        states, arguments, results = self._fields
        for fields, structure in ((states, self._state), (arguments, self._input)):
            for name in fields.keys() & inputs.keys():
                _write(structure, name, fields[name], inputs[name])
        aligned = (ctypes.addressof(self._work) + 15) // 16 * 16
        self._step(
            *map(ctypes.byref, [self._state]),
            ctypes.c_void_p(aligned),
            ctypes.byref(self._input),
            ctypes.byref(self._output),
        )
        new = {self._successors[name]: _read(self._state, name, view) for name, view in states.items()}
        return {**{name: _read(self._output, name, view) for name, view in results.items()}, **new}


def _structure(fields: Mapping[str, View]) -> type[ctypes.Structure]:
    members: list[tuple[str, Any]] = [
        (name, _TYPES[view.dtype] * max(view.buffer.size, 1)) for name, view in fields.items()
    ]
    return type("Fields", (ctypes.Structure,), {"_fields_": members or [("unused", ctypes.c_uint8)]})


def _write(structure: ctypes.Structure, name: str, view: View, array: Array) -> None:
    flat = np.ascontiguousarray(array, view.dtype).ravel()
    ctypes.memmove(ctypes.addressof(structure) + getattr(type(structure), name).offset, flat.ctypes.data, flat.nbytes)


def _read(structure: ctypes.Structure, name: str, view: View) -> Array:
    return (
        np.array(np.ctypeslib.as_array(getattr(structure, name)))
        .astype(view.dtype)[: view.buffer.size]
        .reshape(view.shape)
    )
