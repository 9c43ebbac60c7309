"""A compiled program as a header and a source file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnnapps.portable.c.compiler import Compiled
from rnnapps.portable.c.elementwise import helper
from rnnapps.portable.c.memory import CTYPES, Buffer, View, literal
from rnnapps.portable.c.program import Program
from rnnapps.portable.c.spectra import SPECTRUM, spectrum
from rnnapps.portable.c.systems import SOLVE, solve

__all__ = ["Figures", "Sources", "sources"]

_WIDTHS = {"float32": 4, "float64": 8, "int32": 4, "int64": 8, "int8": 1, "uint8": 1, "bool": 1}
LINE = 110
LARGE = {SOLVE: solve, SPECTRUM: spectrum}
"""Helpers of many lines."""


@dataclass(frozen=True)
class Figures:
    """What a program costs.

    Attributes:
        tables: bytes of constants.
        states: bytes of the states of one stream.
        work: bytes that a step needs beside them; streams may share them.
        products: multiply-adds of all products of a step.
    """

    tables: int
    states: int
    work: int
    products: int


@dataclass(frozen=True)
class Sources:
    """A program as text.

    Attributes:
        name: prefix of its functions and types.
        header, source: the two files.
        figures: what it costs.
    """

    name: str
    header: str
    source: str
    figures: Figures


def sources(compiled: Compiled, name: str, title: str) -> Sources:
    """Writes a program as C99.

    Args:
        compiled: the program.
        name: prefix of its functions and types, a C identifier.
        title: what the model is, for the first line.
    """
    program = compiled.program
    arenas, places = _rooms(program)
    figures = Figures(
        tables=sum(_WIDTHS[table.dtype] * table.size for table in program.read_tables()),
        states=sum(_WIDTHS[view.dtype] * view.buffer.size for view in compiled.states.values()),
        work=sum(_WIDTHS[dtype] * size for dtype, size in arenas.items()),
        products=program.products,
    )
    header = "\n".join(_header(compiled, name, _first_lines(title, figures, compiled), arenas)) + "\n"
    source = "\n".join(_source(compiled, name, places, bool(arenas))) + "\n"
    return Sources(name, header, source, figures)


def _first_lines(title: str, figures: Figures, compiled: Compiled) -> list[str]:
    kind = "8-bit weights, float32 sums" if compiled.program.int8 else "float32"
    streams = "(any number of streams may share them)"
    return [
        f"/* {title}: one step in C99 ({kind}); no allocation, no dependency but libm.",
        f" * Constants {figures.tables} bytes; RAM {figures.states} bytes of states a stream and {figures.work} bytes",
        f" * of work {streams}; {figures.products} multiply-adds a step.",
        " * Before the first step call the reset function; each step reads the states and writes them anew. */",
    ]


def _header(compiled: Compiled, name: str, first: list[str], arenas: Mapping[str, int]) -> Iterator[str]:
    guard = f"{name.upper()}_H"
    yield from first
    yield from ("", f"#ifndef {guard}", f"#define {guard}", "", "#include <stdint.h>", "")
    yield from _struct(f"{name}_state", compiled.states, "What goes on from one step to the next.")
    yield from _struct(f"{name}_input", compiled.arguments, "What a step reads.")
    yield from _struct(f"{name}_output", compiled.results, "What a step answers.")
    rooms = [f"    {CTYPES[dtype]} {dtype}[{size}];" for dtype, size in arenas.items()]
    yield "/* Room for what a step computes on its way; holds nothing between steps. */"
    yield from ("typedef struct {", *(rooms or ["    uint8_t unused;"]), f"}} {name}_work;", "")
    yield from (
        f"void {name}_reset({name}_state *state);",
        f"void {name}_step({_parameters(name)});",
        "",
        "#endif",
    )


def _parameters(name: str) -> str:
    return f"{name}_state *state, {name}_work *work, const {name}_input *input, {name}_output *output"


def _struct(name: str, fields: Mapping[str, View], meaning: str) -> Iterator[str]:
    yield from (f"/* {meaning} */", "typedef struct {")
    for field, view in fields.items():
        shape = " x ".join(map(str, view.shape[1:])) or "1"
        yield f"    {CTYPES[view.dtype]} {field}[{max(view.buffer.size, 1)}]; /* {shape} */"
    yield from (*([] if fields else ["    uint8_t unused;"]), f"}} {name};", "")


def _source(compiled: Compiled, name: str, places: Mapping[Buffer, int], works: bool) -> Iterator[str]:
    program = compiled.program
    yield from (f'#include "{name}.h"', "", "#include <math.h>", "#include <string.h>", "")
    for helper_name, dtype in sorted(program.helpers):
        yield LARGE[helper_name](dtype) if helper_name in LARGE else helper(helper_name, dtype)
    yield ""
    for table in program.read_tables():
        yield from _table(table)
    yield from _reset(compiled, name)
    yield f"void {name}_step({_parameters(name)}) {{"
    yield "    (void)state; (void)work; (void)input; (void)output;"
    known: set[Buffer] = set()
    for kernel in program.kernels:
        for buffer in kernel.writes:
            if buffer.place == "scratch" and buffer not in known:
                known.add(buffer)
                yield f"    {CTYPES[buffer.dtype]} *const {buffer.name} = work->{buffer.dtype} + {places[buffer]};"
        yield f"    /* {kernel.title.replace('*/', '')} */"
        yield from ("    " + line for line in kernel.lines)
    yield "}"


def _reset(compiled: Compiled, name: str) -> Iterator[str]:
    """The function that brings states back to where they begin."""
    yield from (f"void {name}_reset({name}_state *state) {{", "    memset(state, 0, sizeof *state);")
    for state, value in compiled.static.first.items():
        for place in np.flatnonzero(value):
            yield f"    state->{state}[{place}] = {literal(value.flat[place], str(value.dtype))};"
    yield from ("}", "")


def _table(table: Buffer) -> Iterator[str]:
    yield f"static const {CTYPES[table.dtype]} {table.name}[{table.size}] = {{"
    line = "   "
    assert table.values is not None
    for value in table.values:
        text = f" {literal(value, table.dtype)},"
        if len(line) + len(text) > LINE:
            yield line
            line = "   "
        line += text
    yield from (line, "};", "")


def _rooms(program: Program) -> tuple[dict[str, int], dict[Buffer, int]]:
    """Elements of room for each type, and where each buffer begins in it: buffers share room that nobody needs."""
    first: dict[Buffer, int] = {}
    last: dict[Buffer, int] = {}
    for number, kernel in enumerate(program.kernels):
        for buffer in (*kernel.writes, *kernel.reads):
            if buffer.place == "scratch":
                first.setdefault(buffer, number)
                last[buffer] = number
    sizes: dict[str, int] = {}
    places: dict[Buffer, int] = {}
    for buffer in sorted(first, key=lambda own: first[own]):
        alive = sorted(
            (places[other], places[other] + other.size)
            for other in places
            if other.dtype == buffer.dtype and last[other] >= first[buffer]
        )
        start = 0
        for begin, end in alive:
            if start + buffer.size <= begin:
                break
            start = max(start, end)
        places[buffer] = start
        sizes[buffer.dtype] = max(sizes.get(buffer.dtype, 0), start + buffer.size)
    return sizes, places
