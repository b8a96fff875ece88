"""The figures of the satellite step, and the paragraph that says them with what limits them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel

from phusong.scenarios.outputs.words import LANGUAGES, Language, number, percent, word
from phusong.scenarios.satellite.ground import known_mean
from phusong.scenarios.satellite.links import HIGH, LOW
from phusong.scenarios.satellite.service import GEO, LEO, NONE, NOT_ASKED, PartService
from phusong.scenarios.satellite.settings import Figure, Satellite
from phusong.scenarios.scenario import Scenario
from phusong.scenarios.settings import Rate

if TYPE_CHECKING:
    from phusong.scenarios.satellite.result import PartSky

DIGITS = 5  # of shares: finer than the sky is looked at


def satellite_summary(
    scenario: Scenario, skies: Sequence[PartSky], services: Sequence[PartService], hamlets: pd.DataFrame,
    cells: pd.DataFrame,
) -> dict[str, Any]:  # fmt: skip
    """All figures as in satellite.json; shares are 0 to 1, means are by people inside the area."""
    settings = scenario.satellite
    asked = hamlets["broadband"] != NOT_ASKED
    summary: dict[str, Any] = {
        "scenario": scenario.scenario.name,
        "climate": sorted({sky.ground.nodes.climate.source for sky in skies}),
        "cell_m": [round(sky.ground.cell_m, 1) for sky in skies],
        "dishes": sum(int((sky.ground.inside & ~sky.ground.unknown).sum()) for sky in skies),
        "ring_deg": settings.simulation.ring_deg,
        "leo": _leo(settings, skies, services, cells),
        "geo": _geo(settings, skies),
        "direct_to_device": _phones(settings, skies, hamlets),
        "licence": {
            "source": settings.licence.source, "until": settings.licence.until,
            "terminals": settings.licence.terminals, "terminals_here": sum(s.licence for s in services),
            "successor": settings.licence.successor,
        },
        "hamlets": {
            "asked": int(asked.sum()),
            "without_mobile_signal_known": bool(hamlets["low_signal"].notna().all()) and len(hamlets) > 0,
            **{kind: int((hamlets["broadband"] == kind).sum()) for kind in (LEO, GEO, NONE, NOT_ASKED)},
            "why": _counted(hamlets.loc[asked & (hamlets["why"] != ""), "why"]),
        },
        "households": {
            "asked": int(hamlets.loc[asked, "households"].sum()),
            **{k: int(hamlets.loc[hamlets["broadband"] == k, "broadband_households"].sum()) for k in (LEO, GEO)},
        },
        "least_availability": settings.least_availability,
        "least_rate_mbps": settings.least_rate_mbps,
        "assumptions": list(_assumptions(settings, "satellite.")),
    }  # fmt: skip
    summary["paragraph"] = {lang: paragraph(summary, lang) for lang in LANGUAGES}
    return summary


def _counted(reasons: pd.Series) -> dict[str, int]:
    return {str(reason): int(count) for reason, count in reasons.value_counts().sort_index().items()}


def _mean(skies: Sequence[PartSky], rasters: Sequence[NDArray[np.floating]]) -> float:
    """Mean by people over the parts."""
    values = np.concatenate([np.asarray(raster, np.float32).ravel() for raster in rasters])
    where = np.concatenate([sky.ground.inside.ravel() for sky in skies])
    people = np.concatenate([sky.ground.people.ravel() for sky in skies])
    return round(known_mean(values, where, people), DIGITS)


def _leo(
    settings: Satellite, skies: Sequence[PartSky], services: Sequence[PartService], cells: pd.DataFrame
) -> dict[str, Any] | None:
    flying = [(sky.leo, sky) for sky in skies if sky.leo is not None]
    found = next((sky.found for sky in skies if sky.found is not None), None)
    if found is None or not flying:
        return None
    leo, sensitivity = settings.leo, [one.sensitivity for one, _ in flying]
    weights = [float(sky.ground.inside.sum()) for _, sky in flying]
    keys = [key for key in sensitivity[0] if all(key in one for one in sensitivity)]
    return {
        "name": found.name,
        "satellites": found.satellites,
        "left_out": {k: v for k, v in found.counted.items() if k},
        "rejected": found.rejected,
        "shells": [
            {"inclination_deg": round(i, 2), "altitude_km": round(h, 1), "satellites": n} for i, h, n in found.shells
        ],
        "epoch": f"{found.epoch:%Y-%m-%dT%H:%MZ}",
        "altitude_km": round(found.altitude_km, 1),
        "min_elevation_deg": leo.min_elevation_deg.value,
        "gso_exclusion_deg": [leo.gso_exclusion_deg.value, leo.gso_exclusion_deg.low, leo.gso_exclusion_deg.high],
        "inter_satellite_links": leo.inter_satellite_links,
        "availability": _mean(skies, [one.availability for one, _ in flying]),
        "availability_2": _mean(skies, [one.seen.share_2 for one, _ in flying]),
        "rain_limited": _mean(skies, [one.rain_limited() for one, _ in flying]),
        "rain_limited_low": _mean(skies, [one.rain_limited(LOW) for one, _ in flying]),
        "rain_limited_high": _mean(skies, [one.rain_limited(HIGH) for one, _ in flying]),
        "obstruction": _mean(skies, [one.seen.obstructed for one, _ in flying]),
        "longest_outage_s": float(max(np.nanmax(np.nan_to_num(one.seen.longest_outage_s)) for one, _ in flying)),
        "sensitivity": {
            k: round(float(np.average([one[k] for one in sensitivity], weights=weights)), DIGITS) for k in keys
        },
        "rate_mbps": _mean(skies, [service.rate_mbps for service in services]),
        "service_cells": len(cells),
        "edge_cells": int(cells["edge"].astype(bool).sum()),
        "saturated": int(cells["saturated"].astype(bool).sum()),
        "uplink_binds": int(cells["uplink_binds"].astype(bool).sum()),
        "terminals": round(float(cells["terminals"].sum())),
        **{key: int(cells[key].sum()) for key in ("most_terminals", "most_terminals_low", "most_terminals_high")},
    }  # fmt: skip


def _geo(settings: Satellite, skies: Sequence[PartSky]) -> list[dict[str, Any]]:
    said = []
    for place, name in enumerate(settings.geo.satellites if skies and skies[0].geo else ()):
        own = [sky.geo[place] for sky in skies]
        said.append(
            {
                "name": name, "longitude_deg": own[0].longitude_deg,
                "elevation_deg": round(float(np.mean([one.seen.elevation_deg.mean() for one in own])), 1),
                "visible": _mean(skies, [one.seen.visible.astype(np.float32) for one in own]),
                "rain_limited": _mean(skies, [one.rain_limited() for one in own]),
                "rain_limited_low": _mean(skies, [one.rain_limited(LOW) for one in own]),
                "rain_limited_high": _mean(skies, [one.rain_limited(HIGH) for one in own]),
            }
        )  # fmt: skip
    return said


def _phones(settings: Satellite, skies: Sequence[PartSky], hamlets: pd.DataFrame) -> dict[str, Any] | None:
    flying = [sky.phones for sky in skies if sky.phones is not None]
    if not flying:
        return None
    return {
        "label": settings.direct_to_device.label,
        "satellites": flying[0].satellites,
        "availability": _mean(skies, [one.availability for one in flying]),
        "beam_mbps": round(float(np.mean([one.beam_mbps for one in flying])), 2),
        "hamlets": int((hamlets["phones_availability"] >= settings.least_availability).sum()),
    }


def _assumptions(section: BaseModel, prefix: str) -> Iterator[str]:
    """Every figure and price without a source, and every band, as `key: value (±band)`."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Figure) and (value.source == "assumption" or value.band):
            band = f" (±{value.band:g})" if value.band else ""
            yield f"{prefix}{name}: {value.value:g}{band}, {value.source}"
        elif isinstance(value, Rate) and value.source == "assumption":
            yield f"{prefix}{name}: {value.value:,.0f} (±{value.band:.0%})"
        elif isinstance(value, BaseModel) and not isinstance(value, Rate | Figure) and getattr(value, "enabled", True):
            yield from _assumptions(value, f"{prefix}{name}.")


def paragraph(summary: Mapping[str, Any], lang: Language) -> str:
    """What the sky gives, with rain, exclusion angle and capacity in one breath; broadband, never mobile signal."""
    said = [word("sat.what", lang)]
    leo, hamlets, households = summary["leo"], summary["hamlets"], summary["households"]
    if leo is not None:
        angle, low, high = leo["gso_exclusion_deg"]
        said.append(
            word("sat.sky", lang).format(
                name=leo["name"], satellites=number(leo["satellites"], lang=lang), epoch=leo["epoch"][:10],
                available=_share(leo["availability"], lang), elevation=number(leo["min_elevation_deg"], lang=lang),
                exclusion=number(angle, lang=lang),
                band=f"{number(low, lang=lang)}–{number(high, lang=lang)}",
                rained=_share(leo["rain_limited"], lang),
                worst=_share(leo["rain_limited_low"], lang), best=_share(leo["rain_limited_high"], lang),
                climate="; ".join(summary["climate"]),
            )
        )  # fmt: skip
        ring = leo["sensitivity"].get("ring 60")
        if ring is not None:
            said.append(
                word("sat.ring", lang).format(
                    obstructed=_share(leo["obstruction"], lang), ring=number(60, lang=lang), left=_share(ring, lang)
                )
            )
        said.append(
            word("sat.capacity", lang).format(
                rate=number(leo["rate_mbps"], 1, lang), cells=number(leo["service_cells"], lang=lang),
                saturated=number(leo["saturated"], lang=lang), edge=number(leo["edge_cells"], lang=lang),
                uplink=number(leo["uplink_binds"], lang=lang),
                most=number(leo["most_terminals"], lang=lang), fewest=number(leo["most_terminals_low"], lang=lang),
                highest=number(leo["most_terminals_high"], lang=lang), wanted=number(leo["terminals"], lang=lang),
            )
        )  # fmt: skip
    outcome = "sat.outcome_low" if hamlets["without_mobile_signal_known"] else "sat.outcome_all"
    said.append(
        word(outcome, lang).format(
            asked=number(hamlets["asked"], lang=lang), leo=number(hamlets[LEO], lang=lang),
            leo_households=number(households[LEO], lang=lang), geo=number(hamlets[GEO], lang=lang),
            geo_households=number(households[GEO], lang=lang), none=number(hamlets[NONE], lang=lang),
            rate=number(summary["least_rate_mbps"], lang=lang), least=_share(summary["least_availability"], lang),
        )
    )  # fmt: skip
    for one in summary["geo"]:
        said.append(
            word("sat.geo", lang).format(
                name=one["name"], elevation=number(one["elevation_deg"], lang=lang),
                visible=_share(one["visible"], lang), rained=_share(one["rain_limited"], lang),
                worst=_share(one["rain_limited_low"], lang), best=_share(one["rain_limited_high"], lang),
            )
        )  # fmt: skip
    if leo is not None:
        licence = summary["licence"]
        said.append(
            word("sat.licence", lang).format(
                source=licence["source"], here=number(licence["terminals_here"], lang=lang),
                terminals=number(licence["terminals"], lang=lang), until=licence["until"],
                successor=word(f"sat.successor_{licence['successor']}", lang),
            )
        )  # fmt: skip
    if (phones := summary["direct_to_device"]) is not None:
        said.append(
            word("sat.phones", lang).format(
                available=_share(phones["availability"], lang), label=phones["label"],
                rate=number(phones["beam_mbps"], 1, lang),
            )
        )  # fmt: skip
    return " ".join(said)


def _share(value: float, lang: Language) -> str:
    """A share as percent, with the second digit where the first would say 100."""
    if not np.isfinite(value):
        return number(None, lang=lang)
    return percent(value, lang=lang) if value < 0.99 else f"{number(100.0 * value, 2, lang)}%"
