"""Satellites seen from the ground."""
