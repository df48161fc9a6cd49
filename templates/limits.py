"""How much a template may ask for, every bound in one place."""

from __future__ import annotations

SOURCE_BYTES = 64 * 1024
"""Largest template part that is read at all."""

SOURCE_LINE_CHARS = 10_000
"""Longest line of a template part."""

NESTING = 8
"""How deep conditions and loops may nest, and parts of one expression."""

LOOP_DEPTH = 2
"""How many loops may stand inside one another."""

TAGS = 2_000
"""How many expressions and tags one template part may hold."""

OUTPUT_BYTES = 256 * 1024
"""Largest text that one part may render to, in UTF-8 bytes."""

SUBJECT_CHARS = 250
"""Longest subject or document title; the rest is cut off with an ellipsis."""

LIST_ITEMS = 500
"""Most items a list value may hold, such as product lines."""

LIST_CHARS = 500_000
"""Longest all items of one list value may be together."""

VALUE_CHARS = 100_000
"""Longest single value, such as the text a staff member wrote."""

IMAGE_BYTES = 300_000
"""Largest picture given as a data: address, such as a company's logo."""

RENDER_CPU_SECONDS = 2
"""Processor time one rendering of a company's own template may take; the child is killed after it."""

RENDER_WALL_SECONDS = 20.0
"""How long the caller waits for one rendering before it kills the child."""

RENDER_MEMORY_BYTES = 256 * 1024 * 1024
"""Address space of the child that renders text."""

PDF_CPU_SECONDS = 20
"""Processor time one PDF may take."""

PDF_WALL_SECONDS = 40.0
"""How long the caller waits for one PDF."""

PDF_MEMORY_BYTES = 1024 * 1024 * 1024
"""Address space of the child that makes PDFs; Pango and the fonts take half of it before the first page."""

PDF_PAGES = 60
"""Most pages a document may have."""

PDF_BYTES = 10 * 1024 * 1024
"""Largest PDF handed back."""

ANSWER_BYTES = 32 * 1024 * 1024
"""Largest answer a child may write before it is killed."""

IDLE_SECONDS = 300
"""A child that got no work for so long ends by itself."""
