"""How the documentation is built: `make docs` puts it into `docs/_build`."""

from __future__ import annotations

project = "frontdesk"
author = "frontdesk"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
master_doc = "index"
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "frontdesk"
html_show_copyright = False
html_show_sphinx = False
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
nitpicky = True
suppress_warnings = ["myst.xref_missing"]
"""Links into the code are for who reads these pages in the project; Sphinx does not know those files."""
