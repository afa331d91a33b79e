"""Draws the project's two pictures from scratch: a lit harbour, and a painting of swirls."""
