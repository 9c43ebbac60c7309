"""What a reader may rely on in every file: short functions, few positional parameters, types that say something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted(path for folder in ("rnnapps", "pipelines", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
MOST_LINES, MOST_POSITIONAL, MOST_ANY = 40, 4, 0.05
ALIAS = "np.ndarray[Any, Any]"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(source: str) -> Iterator[Function]:
    yield from (node for node in ast.walk(ast.parse(source)) if isinstance(node, Function))


def lines(function: Function) -> int:
    """Lines from `def` to the end, those of the docstring left out."""
    first, documented = function.body[0], ast.get_docstring(function, clean=False) is not None
    docstring = first.end_lineno - first.lineno + 1 if documented else 0
    return function.end_lineno - function.lineno + 1 - docstring


def positional(function: Function) -> int:
    """Parameters that a caller may give by position; the object or class itself is none."""
    names = [parameter.arg for parameter in (*function.args.posonlyargs, *function.args.args)]
    return len([name for name in names if name not in ("self", "cls")])


def annotations(function: Function) -> list[str]:
    """What the parameters are said to be; "" where nothing is said."""
    parameters = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    own = [parameter for parameter in parameters if parameter.arg not in ("self", "cls")]
    return [ast.unparse(parameter.annotation) if parameter.annotation else "" for parameter in own]


def name(path: Path, function: Function) -> str:
    return f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"


ALL = [(path, function) for path in FILES for function in functions(path.read_text(encoding="utf-8"))]


def test_functions_are_short() -> None:
    assert not [name(path, function) for path, function in ALL if lines(function) > MOST_LINES]


def test_functions_take_few_positional_parameters() -> None:
    """More go behind `*`, or into a value that has a name."""
    assert not [name(path, function) for path, function in ALL if positional(function) > MOST_POSITIONAL]


def test_arrays_have_one_name() -> None:
    """`rnnapps.types.Array`."""
    assert not [str(path.relative_to(ROOT)) for path in FILES if ALIAS in path.read_text(encoding="utf-8")]


def test_few_parameters_are_any() -> None:
    kinds = [(name(path, function), kind) for path, function in ALL for kind in annotations(function)]
    vague = [where for where, kind in kinds if kind == "Any"]
    assert len(vague) < MOST_ANY * len(kinds), f"{len(vague)} of {len(kinds)} parameters are Any:\n" + "\n".join(vague)


def test_the_measures_see_what_they_look_for() -> None:
    source = 'class A:\n  def f(self, a: Any, b: int, /, c, *, d: Any):\n    """Two\n    lines."""\n    return a\n'
    (function,) = functions(source)
    assert lines(function) == 2
    assert positional(function) == 3
    assert annotations(function) == ["Any", "int", "", "Any"]
