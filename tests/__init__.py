"""Tests mirror the rooms; each name is a sentence of the specification."""
