"""Small wrong versions of a module: each differs from it in one place, and a test should fail on it.

Left alone is what no test should pin: annotations, docstrings, `__all__`, imports, arguments of `dataclass`, texts of
errors, and two keywords that assert or speed up but change no result (`strict` of zip, `autograph` of tf.function).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.mutants.alternatives import without_one

__all__ = ["Mutant", "mutants_of"]

Replacement = tuple[ast.AST, str, ast.AST | None]  # a node, the code in its place, and the row that it lacks

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_DELETED = (ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)
_UNTESTED_KEYWORDS = {"strict", "autograph"}
_ANNOTATIONS = {"Literal", "Callable", "Mapping", "Sequence", "Iterable", "Iterator", "list", "dict", "tuple", "set"}


@dataclass(frozen=True)
class Mutant:
    """One wrong version.

    Attributes:
        path: the file.
        line: where it differs.
        before: the lines that differ, as they are.
        after: the lines in their place.
        source: the whole wrong file.
        reach: lines of which a test must run one to notice.
    """

    path: str
    line: int
    before: str
    after: str
    source: str
    reach: frozenset[int]


def mutants_of(path: str, source: str) -> list[Mutant]:
    """All wrong versions of a file, in the order of its lines."""
    tree = ast.parse(source)
    found = [_mutant(path, source, one, reach or _users(tree, one)) for one, reach in _walk(tree.body, None, True)]
    return sorted(dict.fromkeys(found), key=lambda mutant: mutant.line)


def _mutant(path: str, source: str, replacement: Replacement, reach: frozenset[int]) -> Mutant:
    node, text, row = replacement
    lines = source.encode().splitlines(keepends=True)
    first, last = node.lineno - 1, node.end_lineno - 1
    head, tail = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
    changed = head + text.encode() + tail
    wrong = b"".join([*lines[:first], changed, *lines[last + 1 :]]).decode()
    shown = row or node
    before = b" ".join(lines[shown.lineno - 1 : shown.end_lineno]).decode()
    after = f"(without {ast.unparse(row)})" if row else changed.decode()
    return Mutant(path, shown.lineno, " ".join(before.split()), " ".join(after.split()), wrong, reach)


def _walk(
    body: Iterable[ast.stmt], method_lines: frozenset[int] | None, table: bool
) -> Iterator[tuple[Replacement, frozenset[int] | None]]:
    """Replacements in statements, with the lines whose execution reaches them; `table` outside of functions.

    What stands in the body of a class matters to those who run a method of it. None: to whoever uses a name.
    """
    for statement in body:
        if _untested(statement):
            continue
        blocks = [block for field in ("body", "orelse", "finalbody") if (block := getattr(statement, field, None))]
        blocks += [handler.body for handler in getattr(statement, "handlers", [])]
        end = blocks[0][0].lineno - 1 if blocks else statement.end_lineno
        reach: frozenset[int] | None = frozenset(range(statement.lineno, max(end, statement.lineno) + 1))
        function, inner = isinstance(statement, ast.FunctionDef), method_lines
        if function:  # a default matters to those who run the function
            reach = _lines([statement])
        elif isinstance(statement, ast.ClassDef):
            reach = frozenset(range(statement.lineno, statement.end_lineno + 1))  # all who import it
            inner = _lines(node for node in statement.body if isinstance(node, ast.FunctionDef)) or None
        elif table:
            reach = method_lines
        for replacement in _in_statement(statement, table):
            yield replacement, reach
        for block in blocks:
            yield from _walk(block, inner, table and not function)


def _lines(functions: Iterable[ast.FunctionDef]) -> frozenset[int]:
    """The lines of the bodies of functions."""
    return frozenset(line for node in functions for line in range(node.body[0].lineno, node.end_lineno + 1))


def _users(tree: ast.Module, replacement: Replacement) -> frozenset[int]:
    """The lines of the functions that name what a statement of the module defines; its own lines if there are none."""
    line = replacement[0].lineno
    (statement,) = (node for node in tree.body if node.lineno <= line <= node.end_lineno)
    targets = {
        node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    using = [f for f in functions if any(isinstance(n, ast.Name) and n.id in targets for n in ast.walk(f))]
    return _lines(using) or frozenset(range(statement.lineno, statement.end_lineno + 1))


def _untested(statement: ast.stmt) -> bool:
    """Imports, docstrings, `__all__`, names of types, and what only a type checker reads."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(value=ast.Subscript(value=ast.Name(id=name))):
            return name in _ANNOTATIONS
    return False


def _in_statement(statement: ast.stmt, table: bool) -> Iterator[Replacement]:
    match statement:
        case ast.Raise() | ast.Assert():
            yield statement, "pass", None
            return  # the text of an error
        case ast.Expr() | ast.Assign(targets=[ast.Attribute() | ast.Subscript() | ast.Tuple()]):
            if not isinstance(statement, ast.Assign) or _sets_parts(statement.targets[0]):
                yield statement, "pass", None
        case ast.Return(value=value) if value is not None and ast.unparse(value) != "None":
            yield statement, "return None", None
        case ast.If(test=test) | ast.While(test=test) if not _turns_by_swap(test):
            yield test, f"not ({ast.unparse(test)})", None
    if isinstance(statement, _DELETED):
        yield statement, "pass", None
    if isinstance(statement, ast.AugAssign):
        swapped = copy.copy(statement)
        swapped.op = _SWAPS[type(statement.op)]()
        yield statement, ast.unparse(swapped), None
    for expression in _expressions(statement):
        yield from _in_expression(expression, table and isinstance(statement, ast.Assign | ast.AnnAssign))


def _turns_by_swap(test: ast.expr) -> bool:
    """Whether a swapped operator negates the condition already."""
    if isinstance(test, ast.Compare):
        return len(test.ops) == 1 and not isinstance(test.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE)
    return isinstance(test, ast.UnaryOp)


def _sets_parts(target: ast.expr) -> bool:
    """Whether a target stores into something that exists: without a plain name the statement can go."""
    if isinstance(target, ast.Tuple):
        return all(_sets_parts(element) for element in target.elts)
    return isinstance(target, ast.Attribute | ast.Subscript)


def _expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement itself, not those of its block; no annotations."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        decorators = [one for one in statement.decorator_list if not ast.unparse(one).startswith("dataclass")]
        if isinstance(statement, ast.ClassDef):
            yield from decorators
            return
        arguments = statement.args
        yield from (default for default in (*decorators, *arguments.defaults, *arguments.kw_defaults) if default)
        return
    for field, value in ast.iter_fields(statement):
        if field != "annotation":
            parts = value if isinstance(value, list) else [value]
            yield from (part for part in parts if isinstance(part, ast.expr))
            yield from (part.context_expr for part in parts if isinstance(part, ast.withitem))


def _in_expression(node: ast.AST, table: bool) -> Iterator[Replacement]:
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("Error", "Warning", "warnings.warn", "cast")):
        return  # the text of an error, or the name of a type
    yield from _here(node, table)
    if isinstance(node, ast.JoinedStr):
        return  # Python 3.11 does not say where its parts stand
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.keyword) and child.arg in _UNTESTED_KEYWORDS):
            yield from _in_expression(child, table)


def _here(node: ast.AST, table: bool) -> Iterator[Replacement]:
    match node:
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                ops = [*node.ops[:place], _SWAPS[type(operator)](), *node.ops[place + 1 :]]
                yield node, _changed(node, ops=ops), None
            for operator, items in zip(node.ops, node.comparators, strict=True):
                if isinstance(operator, ast.In | ast.NotIn):
                    yield from _rows(items)
        case ast.BinOp() | ast.BoolOp() if type(node.op) in _SWAPS:
            yield node, _changed(node, op=_SWAPS[type(node.op)]()), None
        case ast.UnaryOp(operand=operand) if not isinstance(node.op, ast.UAdd):
            yield node, f"({ast.unparse(operand)})", None
        case ast.IfExp(test=test) if not _turns_by_swap(test):
            yield test, f"(not ({ast.unparse(test)}))", None
        case ast.comprehension(ifs=conditions, iter=items):
            turned = [condition for condition in conditions if not _turns_by_swap(condition)]
            yield from ((condition, f"(not ({ast.unparse(condition)}))", None) for condition in turned)
            yield from _rows(items)
        case ast.Call(keywords=keywords):
            for gone in (k for k in keywords if k.arg and k.arg not in _UNTESTED_KEYWORDS):
                yield node, _changed(node, keywords=[k for k in keywords if k is not gone]), None
        case ast.Dict(keys=keys, values=values):
            for gone, (key, value) in enumerate(zip(keys, values, strict=True)):
                left = [n for n in range(len(keys)) if n != gone]
                yield node, _changed(node, keys=[keys[n] for n in left], values=[values[n] for n in left]), key or value
        case ast.Constant(value=value):
            yield from ((node, repr(wrong), None) for wrong in _wrong_constants(value, table))
        case ast.JoinedStr():
            yield node, '""', None
    if table:
        yield from _rows(node)


def _rows(node: ast.AST) -> Iterator[Replacement]:
    """A table without one of its rows."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set) and len(node.elts) > 1:
        for gone in node.elts:
            yield node, _changed(node, elts=[element for element in node.elts if element is not gone]), gone


def _wrong_constants(value: object, table: bool) -> Iterator[object]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str() | bytes():
            yield type(value)() if value else type(value)(b"?" if isinstance(value, bytes) else "?")
            if table and isinstance(value, str):
                yield from without_one(value)


def _changed(node: ast.AST, **fields: object) -> str:
    """The code of a node with other fields; in brackets where it would else bind to its neighbours."""
    twin = copy.copy(node)
    for field, value in fields.items():
        setattr(twin, field, value)
    text = ast.unparse(twin)
    return text if isinstance(node, ast.Call | ast.Dict | ast.Tuple | ast.List | ast.Set) else f"({text})"
