"""Propagation models: path profile in, basic transmission loss out. A model is a kernel chosen by name."""

from phusong.coverage.propagation.delta_bullington import DeltaBullington
from phusong.coverage.propagation.effective_earth import STANDARD_EFFECTIVE_RADIUS_KM, effective_radius_km
from phusong.coverage.propagation.free_space import FreeSpace
from phusong.coverage.propagation.p1812 import P1812
from phusong.coverage.propagation.registry import model_names, resolve_model

__all__ = [
    "P1812",
    "STANDARD_EFFECTIVE_RADIUS_KM",
    "DeltaBullington",
    "FreeSpace",
    "effective_radius_km",
    "model_names",
    "resolve_model",
]
