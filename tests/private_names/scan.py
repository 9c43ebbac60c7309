"""Finds the private names of other packages in Python code, without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set

__all__ = ["defined_names", "private_names"]

OURS = {"rnnapps", "pipelines", "benchmarks"}
# Modules that bear no underscore and yet are not for others to import.
HIDDEN = re.compile(
    r"keras\.src\b|tensorflow\.(python|core|compiler|__internal__)\b|tensorflow_datasets\.core\.[a-z]"
    r"|(numpy|pandas)\.core\b"
)
DOCUMENTED = {"_asdict", "_fields", "_make", "_replace"}  # of typing.NamedTuple: there the underscore is no warning


def private_names(tree: ast.Module, ours: Set[str]) -> set[str]:
    """The private names of others in one file: modules and their members in full, attributes of objects alone.

    What only a type checker reads, annotations and what `if TYPE_CHECKING` guards, is left out: it never runs.

    Args:
        tree: the file.
        ours: the names that our own code defines; `self._name` is somebody else's if it is not among them.
    """
    visitor = _Visitor(ours)
    visitor.visit(tree)
    return visitor.found


def defined_names(tree: ast.Module) -> Iterator[str]:
    """Every name that a file binds: functions, classes, variables, and attributes as in `self.name = ...`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
            yield node.attr


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _is_hidden(path: str) -> bool:
    """Whether a path through a module, such as `keras.src.backend`, leads to what is not public."""
    package, *members = path.split(".")
    return package not in OURS and (HIDDEN.match(path) is not None or any(map(_is_private, members)))


def _is_self(node: ast.expr) -> bool:
    """`self`, `cls` or `super()`."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


class _Visitor(ast.NodeVisitor):
    def __init__(self, ours: Set[str]) -> None:
        self.ours, self.found = ours, set[str]()
        self.modules: dict[str, str] = {}  # a name in the file -> what was imported under it

    def generic_visit(self, node: ast.AST) -> None:
        for field, value in ast.iter_fields(node):
            if field not in ("annotation", "returns"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        self.visit(child)

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node = ast.If(node.test, node.orelse, [])
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            self.modules[bound] = alias.name if alias.asname else bound
            self._note(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            self._note(f"{node.module}.{alias.name}")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        path = self._path(node)
        if path is not None:
            self._note(path)
            return
        own = _is_self(node.value) and node.attr in self.ours
        if _is_private(node.attr) and node.attr not in DOCUMENTED and not own:
            self.found.add(node.attr)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr", "hasattr", "delattr"):
            constants = [each.value for each in node.args if isinstance(each, ast.Constant)]
            self.found |= {each for each in constants if isinstance(each, str) and _is_private(each)} - self.ours
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and re.fullmatch(r"\w+(\.\w+)+", node.value):
            self._note(node.value)  # for importlib.import_module

    def _path(self, node: ast.expr) -> str | None:
        """The full path of `tf.nest.flatten` and its like, None where no module stands at its beginning."""
        if isinstance(node, ast.Name):
            return self.modules.get(node.id)
        inner = self._path(node.value) if isinstance(node, ast.Attribute) else None
        return f"{inner}.{node.attr}" if inner is not None else None

    def _note(self, path: str) -> None:
        if _is_hidden(path):
            self.found.add(path)
