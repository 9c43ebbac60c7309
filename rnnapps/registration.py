"""Makes Keras find our layers and cells in saved models after `import rnnapps` alone.

Keras finds a class in a file by its registered name, and classes register when their module is imported. Ours are
imported on first use, so that `import rnnapps` is instant: they wait for Keras instead, and follow it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

__all__ = ["register_with_keras"]

_CLASSES = "rnnapps.layers"
_BELOW = ("rnnapps.cells", "rnnapps.kernels", _CLASSES)


def register_with_keras() -> None:
    """Imports what Keras may meet in a file: now, if Keras is there, else once it is."""
    if "keras" in sys.modules:
        import_module(_CLASSES)
    else:
        sys.meta_path.insert(0, _Waiting())


class _Waiting(MetaPathFinder):
    """Finds Keras as others would, and has our classes imported when Keras is."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of Keras, for any other module None."""
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_follow(module: ModuleType) -> None:
            execute(module)
            # Where our own modules are the ones that import Keras, they register by themselves when they are done.
            if not any(name in sys.modules for name in _BELOW):
                import_module(_CLASSES)

        spec.loader.exec_module = execute_and_follow  # type: ignore[method-assign]
        return spec
