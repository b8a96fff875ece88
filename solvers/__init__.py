"""Decisions: what to build. Arrays, graphs and costs in, a plan with its proven bound out."""
