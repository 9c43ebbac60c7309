"""Sphinx configuration of the user guide."""

from __future__ import annotations

import inspect
import re
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

from sphinx.util.inspect import stringify_signature

import rnnapps.types

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "rnnapps"
author = "the rnnapps developers"
copyright = "the rnnapps developers; Apache-2.0"
release = version = installed_version("rnnapps")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

# Docstrings are Google's, their `code` in single backticks.
default_role = "code"
smartquotes_action = "D"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_default_options = {"show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_type_aliases = {name: name for name in rnnapps.types.__all__}
python_use_unqualified_type_names = True
maximum_signature_line_length = 100

html_theme = "furo"
html_title = "rnnapps"
html_theme_options = {"navigation_with_keys": True}

SHOWN_AS_IT_IS = re.compile(r"rnnapps |from |import |def |[├└]──")
"""How a line of a module's docstring begins that is a command, code or a drawing."""


def keep_lines(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Turns the paragraphs of a module's docstring that are no prose into literal blocks."""
    if what == "module":
        paragraphs = re.split(r"\n\s*\n", "\n".join(lines))
        shown = [
            "::\n\n" + re.sub("^", "    ", paragraph, flags=re.MULTILINE)
            if any(SHOWN_AS_IT_IS.match(line.strip()) for line in paragraph.splitlines())
            else paragraph
            for paragraph in paragraphs
        ]
        lines[:] = "\n\n".join(shown).splitlines()


def keep_colon(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Makes a dash of the colon in a property's first line: Napoleon would take what stands before it for a type."""
    if what == "property":
        lines[:1] = [line.replace(": ", " – ", 1) for line in lines[:1]]


def readable_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Types by their names in `rnnapps.types`; of a Keras class its own arguments, not those of `Layer.__new__`."""
    if what == "class" and signature == "(*args, **kwargs)":
        own = inspect.signature(obj.__init__)
        parameters = [parameter for parameter in own.parameters.values() if parameter.name != "self"]
        own = own.replace(parameters=parameters, return_annotation=own.empty)
        signature = stringify_signature(own, unqualified_typehints=True)
    plain = r"TypeAliasForwardRef\('(\w+)'\)|<(?:function|class) '?(\w+)'?>"
    named = [text and re.sub(plain, lambda match: match[1] or match[2], text) for text in (signature, returns)]
    named = [text and text.replace("<factory>", "...") for text in named]
    return named[0], named[1]


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", keep_lines)
    app.connect("autodoc-process-docstring", keep_colon, priority=400)  # before Napoleon
    app.connect("autodoc-process-signature", readable_signature)
