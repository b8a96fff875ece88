"""Propagation models: path profile in, basic transmission loss out. A model is a kernel chosen by name."""

from phusong.coverage.propagation.delta_bullington import DeltaBullington
from phusong.coverage.propagation.effective_earth import STANDARD_EFFECTIVE_RADIUS_KM, effective_radius_km
from phusong.coverage.propagation.free_space import FreeSpace
from phusong.coverage.propagation.hata_area import Cost231Hata, OkumuraHata
from phusong.coverage.propagation.itm_area import IrregularTerrain
from phusong.coverage.propagation.p1812 import P1812
from phusong.coverage.propagation.registry import check_model, model_names, model_source, resolve_model
from phusong.coverage.propagation.tr38901_area import RuralMacro, UrbanMacro, UrbanMicro

__all__ = [
    "P1812",
    "STANDARD_EFFECTIVE_RADIUS_KM",
    "Cost231Hata",
    "DeltaBullington",
    "FreeSpace",
    "IrregularTerrain",
    "OkumuraHata",
    "RuralMacro",
    "UrbanMacro",
    "UrbanMicro",
    "check_model",
    "effective_radius_km",
    "model_names",
    "model_source",
    "resolve_model",
]
