"""Whole journeys through every room, on real servers and real processes."""
