"""New stations at new places: remote radios, repeaters, towers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phusong.scenarios.candidates import costs as price_of
from phusong.scenarios.candidates.costs import Bill, Works
from phusong.scenarios.candidates.links import Sight
from phusong.scenarios.candidates.options import NEEDED, OptionList, SectorDraft
from phusong.scenarios.candidates.places import Place
from phusong.scenarios.candidates.repeaters import Repeater
from phusong.scenarios.candidates.settings import Kind
from phusong.scenarios.candidates.survey import Survey


class _PoleRadio(NamedTuple):
    height_m: float
    tx_power_dbm: float
    gain_dbi: float


def add_remote_radios(survey: Survey, options: OptionList, places: Sequence[Place], works: Sequence[Works]) -> None:
    """On a pole in the hamlet, radiating all round, fed by fibre from a baseband unit elsewhere; one option a band."""
    settings = survey.settings
    radio = _PoleRadio(
        settings.remote_radio_height_m, settings.remote_radio_tx_power_dbm, settings.remote_radio_gain_dbi
    )
    for place, work in zip(places, works, strict=True):
        if not _road_reaches(options, work):
            continue
        if not np.isfinite(work.fibre_vnd) or "fibre" not in settings.backhaul:
            options.drop("no-fibre-within-the-limit")
            continue
        if work.fibre_km > settings.remote_radio_fibre_km:
            options.drop("remote-radio-too-far-from-fibre")
            continue
        _add_on_pole(survey, options, place, work, "remote-radio", price_of.remote_radio(survey.costs, work), radio)


def add_small_cells(survey: Survey, options: OptionList, places: Sequence[Place], works: Sequence[Works]) -> None:
    """A whole base station on a pole in the hamlet, radiating all round; any backhaul will do. One option a band."""
    settings = survey.settings
    radio = _PoleRadio(settings.small_cell_height_m, settings.small_cell_tx_power_dbm, settings.small_cell_gain_dbi)
    anyhow = "leo" in settings.backhaul or "geo" in settings.backhaul
    for place, work in zip(places, works, strict=True):
        if not _road_reaches(options, work):
            continue
        if not anyhow and not ("fibre" in settings.backhaul and np.isfinite(work.fibre_vnd)):
            options.drop("no-backhaul-within-the-limit")
            continue
        _add_on_pole(survey, options, place, work, "small-cell", price_of.small_cell(survey.costs, work), radio)


def add_repeaters(survey: Survey, options: OptionList, repeaters: Sequence[Repeater], works: Sequence[Works]) -> None:
    for repeater, work in zip(repeaters, works, strict=True):
        if not np.isfinite(work.access_km):
            options.drop("no-road-within-the-limit")
            continue
        options.add(
            _add_site(survey, options, repeater.place),
            "repeater",
            repeater.place.operator,
            repeater.technology,
            repeater.band,
            price_of.repeater(survey.costs, work),
            [repeater.sector],
            backhaul="donor",
            works=work,
            donor_sector=repeater.donor,
        )


def add_towers(
    survey: Survey, options: OptionList, places: Sequence[Place], works: Sequence[Works], sight: Sight | None
) -> None:
    """Three sectors on a new tower: one option for each height and band, which exclude each other.

    Only heights that some backhaul reaches: fibre, a microwave link, or satellite, which is seen from everywhere.
    """
    backhaul = survey.settings.backhaul
    anyhow = "leo" in backhaul or "geo" in backhaul
    for number, (place, work) in enumerate(zip(places, works, strict=True)):
        if not _road_reaches(options, work):
            continue
        linked = set() if sight is None else sight.heights(number)
        by_fibre = "fibre" in backhaul and np.isfinite(work.fibre_vnd)
        heights_m = [h for h in survey.settings.heights_m if anyhow or by_fibre or h in linked]
        if not heights_m:
            options.drop("no-backhaul-within-the-limit")
            continue
        location, group = _add_site(survey, options, place), options.exclusive_group()
        for height_m in heights_m:
            bill = price_of.new_tower(
                survey.costs, survey.technology, height_m, work, on_hamlet_track=place.kind == "hamlet"
            )
            for band, carrier in survey.new_carriers:
                options.add(
                    location,
                    "new-site",
                    place.operator,
                    survey.technology,
                    band,
                    bill,
                    survey.three_sectors(place.xy, place.around, carrier, height_m),
                    exclusive=group,
                    backhaul=NEEDED,
                    works=work,
                )


def _add_on_pole(
    survey: Survey, options: OptionList, place: Place, work: Works, kind: Kind, bill: Bill, radio: _PoleRadio
) -> None:
    """One sector that radiates all round: an option for each band, which exclude each other."""
    location, group = _add_site(survey, options, place), options.exclusive_group()
    for band, carrier in survey.new_carriers:
        sector = SectorDraft.of_carrier(
            carrier,
            height_m=radio.height_m,
            azimuth_deg=np.nan,
            downtilt_deg=0.0,
            feeder_loss_db=0.0,
            tx_power_dbm=radio.tx_power_dbm,
            gain_dbi=radio.gain_dbi,
        )
        options.add(
            location,
            kind,
            place.operator,
            survey.technology,
            band,
            bill,
            [sector],
            exclusive=group,
            backhaul=NEEDED,
            works=work,
        )


def _road_reaches(options: OptionList, work: Works) -> bool:
    """Whether a road gets there; counted where not."""
    if np.isfinite(work.access_km):
        return True
    options.drop("no-road-within-the-limit")
    return False


def _add_site(survey: Survey, options: OptionList, place: Place) -> int:
    hamlet = survey.targets.hamlets.iloc[place.hamlet]
    return options.add_site(
        place.xy,
        place.site_id,
        hamlet["name"],
        "new",
        place.kind,
        str(hamlet["hamlet_id"]),
        survey.antenna_m(place.xy, 0.0),
        place.people,
    )
