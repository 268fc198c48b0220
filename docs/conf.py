# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx settings. tests/tools/docs.py (make docs) lays the generated reference beside these pages and builds them."""

from __future__ import annotations

project = 'jeedom.fleet'
author = 'jeedom.fleet contributors'
copyright = '2026, jeedom.fleet contributors'

extensions = ['myst_parser', 'sphinx_antsibull_ext']
source_suffix = {'.md': 'markdown', '.rst': 'restructuredtext'}
root_doc = 'index'
exclude_patterns = ['_build', 'docsite', 'requirements.txt']
nitpicky = True
# "# a", "## b" ... get names to link to, as on the pages of a forge
myst_heading_anchors = 3
highlight_language = 'text'
pygments_style = 'ansible'
antsibull_ext_color_scheme = 'default-autodark'

html_theme = 'furo'
html_title = 'jeedom.fleet'
html_show_sourcelink = False
html_copy_source = False
