"""A module whose statements say when they run: what `coverage` measures, at no cost to all other code."""

from __future__ import annotations

import ast

__all__ = ["NOTE", "noting"]

NOTE = "__note__"  # the name of the function (path, line, shared) that the module calls


def noting(path: str, source: str) -> ast.Module:
    """The module with a call before each statement; `shared` is true outside of functions, which runs only once."""
    tree = ast.parse(source)
    tree.body = _noted(tree.body, path, True)
    return ast.fix_missing_locations(tree)


def _noted(body: list[ast.stmt], path: str, shared: bool) -> list[ast.stmt]:
    result: list[ast.stmt] = []
    for statement in body:
        if not _must_stay_first(statement):
            result.append(ast.copy_location(_call(path, statement.lineno, shared), statement))
        result.append(statement)
        within = shared and not isinstance(statement, ast.FunctionDef)
        for holder in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            for field in ("body", "orelse", "finalbody"):
                if block := getattr(holder, field, None):
                    setattr(holder, field, _noted(block, path, within))
    return result


def _must_stay_first(statement: ast.stmt) -> bool:
    """Docstrings and `from __future__`."""
    docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return docstring or (isinstance(statement, ast.ImportFrom) and statement.module == "__future__")


def _call(path: str, line: int, shared: bool) -> ast.stmt:
    arguments: list[ast.expr] = [ast.Constant(path), ast.Constant(line), ast.Constant(shared)]
    return ast.Expr(ast.Call(ast.Name(NOTE, ast.Load()), arguments, []))
