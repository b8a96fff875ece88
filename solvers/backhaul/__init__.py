"""Trench trees over a road graph: contraction, cheap trees, and what no tree undercuts."""
