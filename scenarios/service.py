"""When a hamlet has service: the rule, and the service that a radio level gives."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from phusong.coverage.link import fade_margin_db
from phusong.scenarios.radio import GENERATION, Radio, Technology
from phusong.scenarios.settings import Section

SERVED, LOM, TRANG = 0, 1, 2
STATE_NAMES = ("served", "lom", "trang")


class Service(Section):
    """[service]: what counts as served, and whose word counts."""

    rule: Literal["centre-and-clusters", "people-share"] = "centre-and-clusters"
    rule_source: str = Field(
        "cách đếm của Tuyên Quang, tháng 1/2026 (91 + 182 trên 3.802 thôn)", description="document behind the rule"
    )
    minimum_technology: Technology = "4G"
    operator: Literal["any", "assigned", "all"] = Field("any", description="who must give the service")
    baseline: Literal["declared-over-model", "model-only"] = Field(
        "declared-over-model", description="whose word counts when the official list and the model differ"
    )
    served_share: float = Field(0.8, gt=0, le=1, description="share of a cluster's people (assumption)")
    hamlet_radius_km: float = Field(1.5, gt=0.1, le=10, description="assumption")
    populated_people: float = Field(4.0, gt=0, description="people in a cell that counts as populated (assumption)")
    cluster_min_households: int = Field(5, ge=1, description="assumption")
    household_people: float = Field(4.0, gt=0, description="people per household where not listed (assumption)")
    edge_km: float = Field(
        3.0, ge=0, description="hamlets nearer than this to the end of the terrain are counted apart"
    )
    facility_weight: int = Field(0, ge=0, description="weight of a served facility beside 1 for a cleared hamlet")


def required_rsrp_dbm(radio: Radio, technology: str) -> float:
    """P50 level [dBm] that gives service at the planning confidence: threshold + interference and fade margins."""
    margin = fade_margin_db(radio.confidence, radio.model_sigma_db, radio.location_sigma_db)
    return radio.min_rsrp_dbm[technology] + radio.interference_margin_db + margin  # type: ignore[index]


def counting_layers(layers: tuple[tuple[str, str], ...], service: Service) -> NDArray[np.bool_]:
    """Which (operator, technology) layers are of the minimum technology or better."""
    least = GENERATION[service.minimum_technology]
    return np.array([GENERATION[technology] >= least for _, technology in layers], dtype=bool)


def layer_levels_dbm(layers: tuple[tuple[str, str], ...], radio: Radio, service: Service) -> NDArray[np.float64]:
    """Level [dBm] at which each layer gives service; +inf for a layer below the minimum technology."""
    counts = counting_layers(layers, service)
    return np.array([required_rsrp_dbm(radio, t) if c else np.inf for (_, t), c in zip(layers, counts, strict=True)])


def served_by_layer(rsrp_dbm: NDArray[np.float64], levels_dbm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(layers, cells): True where a layer's signal reaches its level; no signal (NaN) is no service."""
    with np.errstate(invalid="ignore"):
        return np.asarray(rsrp_dbm >= levels_dbm[:, None])
