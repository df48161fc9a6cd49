"""Tests of the room of the same name; each name is a sentence of the specification."""
