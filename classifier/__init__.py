"""Text in, labels with confidence and reason out."""
