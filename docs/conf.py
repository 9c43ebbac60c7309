"""Sphinx configuration of the user guide."""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "rnnapps"
author = "the rnnapps developers"
copyright = "the rnnapps developers; Apache-2.0"
release = version = installed_version("rnnapps")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "rnnapps"
html_theme_options = {"navigation_with_keys": True}
