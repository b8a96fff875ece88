"""New stations at new places: remote radios, repeaters, towers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phusong.scenarios.candidates import costs as price_of
from phusong.scenarios.candidates.costs import Works
from phusong.scenarios.candidates.options import OptionList, SectorDraft
from phusong.scenarios.candidates.places import Place
from phusong.scenarios.candidates.repeaters import Repeater
from phusong.scenarios.candidates.survey import Survey


def add_remote_radios(survey: Survey, options: OptionList, places: Sequence[Place], works: Sequence[Works]) -> None:
    """On a pole in the hamlet, radiating all round, fed by fibre from a baseband unit elsewhere; one option a band."""
    settings = survey.settings
    for place, work in zip(places, works, strict=True):
        if not _reached(options, work):
            continue
        if work.fibre_km > settings.remote_radio_fibre_km:
            options.drop("remote-radio-too-far-from-fibre")
            continue
        location, group = _add_site(survey, options, place), options.exclusive_group()
        for band, carrier in survey.new_carriers:
            sector = SectorDraft.of_carrier(
                carrier,
                height_m=settings.remote_radio_height_m,
                azimuth_deg=np.nan,
                downtilt_deg=0.0,
                feeder_loss_db=0.0,
                tx_power_dbm=settings.remote_radio_tx_power_dbm,
                gain_dbi=settings.remote_radio_gain_dbi,
            )
            options.add(
                location,
                "remote-radio",
                place.operator,
                survey.technology,
                band,
                price_of.remote_radio(survey.costs, work),
                [sector],
                exclusive=group,
                backhaul="fibre",
                works=work,
            )


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


def add_towers(survey: Survey, options: OptionList, places: Sequence[Place], works: Sequence[Works]) -> None:
    """Three sectors on a new tower: one option for each height and band, which exclude each other."""
    for place, work in zip(places, works, strict=True):
        if not _reached(options, work):
            continue
        location, group = _add_site(survey, options, place), options.exclusive_group()
        for height_m in survey.settings.heights_m:
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
                    backhaul="fibre",
                    works=work,
                )


def _reached(options: OptionList, work: Works) -> bool:
    """Whether a road and fibre get there; counted where not."""
    if not np.isfinite(work.access_km):
        options.drop("no-road-within-the-limit")
    elif not np.isfinite(work.fibre_priced_km):
        options.drop("no-fibre-within-the-limit")
    else:
        return True
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
