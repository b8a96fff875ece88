"""Off-air repeaters: a spot near the hamlet, high enough to hear a standing site well, sends its signal on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.link import fade_margin_db, resource_blocks, rs_eirp_dbm
from phusong.coverage.propagation import check_model
from phusong.coverage.sweep import signal_at
from phusong.coverage.terrain import Terrain
from phusong.scenarios.candidates.options import OptionList, SectorDraft
from phusong.scenarios.candidates.places import Place, free_ground, highest_near
from phusong.scenarios.candidates.survey import Survey
from phusong.scenarios.radio import grid_coordinates


@dataclass(frozen=True, slots=True)
class Repeater:
    """A repeater's place, its one sector, and the sector of the network that it repeats."""

    place: Place
    sector: SectorDraft
    donor: int
    technology: str
    band: str


def find_repeaters(survey: Survey, peak_xy: NDArray[np.float64], options: OptionList) -> list[Repeater]:
    """For each low-signal hamlet the spot near it that hears a donor best, where one hears it well enough.

    Spots are the hamlet's centre, the highest ground near its people and the peaks in reach. The donor is heard at the
    repeater's own height with the planning confidence; it must be of the operator that the hamlet is assigned to, if
    any. What goes out is what comes in, amplified, up to the rated power.
    """
    spot_xy, spot_hamlet = _spots(survey, peak_xy)
    level_dbm, donor = _donors(survey, spot_xy, spot_hamlet)
    loud_enough = level_dbm >= survey.settings.repeater_donor_rsrp_dbm
    found = []
    for hamlet in range(len(survey.targets.hamlets)):
        own = np.flatnonzero(spot_hamlet == hamlet)
        own = own[loud_enough[own]]
        if len(own) == 0:
            options.drop("hamlet-without-a-donor-for-a-repeater")
            continue
        best = own[np.argmax(level_dbm[own])]
        found.append(_repeater(survey, spot_xy[best], hamlet, int(donor[best]), float(level_dbm[best])))
    return found


def _spots(survey: Survey, peak_xy: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Free spots (N, 2) near each hamlet's people, and the hamlet of each."""
    hamlets, settings = survey.targets.hamlets, survey.settings
    peak_tree = cKDTree(peak_xy)
    spots, owner = [], []
    for hamlet, point in enumerate(hamlets.geometry):
        centre = np.array([point.x, point.y])
        people_xy = survey.low.centre(hamlet)
        highest = highest_near(survey, centre if people_xy is None else people_xy, settings.knoll_radius_m)
        peaks_in_reach = peak_xy[sorted(peak_tree.query_ball_point(centre, settings.repeater_reach_km * 1000.0))]
        near = [centre[None], *([] if highest is None else [highest[None]]), peaks_in_reach]
        spots.append(np.concatenate(near))
        owner.append(np.full(len(spots[-1]), hamlet, dtype=np.int64))
    if not spots:
        return np.empty((0, 2)), np.empty(0, dtype=np.int64)
    xy, hamlet_of = np.concatenate(spots), np.concatenate(owner)
    free = free_ground(survey, xy)
    return xy[free], hamlet_of[free]


def _donors(
    survey: Survey, spot_xy: NDArray[np.float64], spot_hamlet: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Level of the best usable donor at each spot, exceeded with the planning confidence (-inf: none), and its sector
    in the network."""
    network, layers = survey.network, survey.network.layers
    if len(network.row) == 0 or len(spot_xy) == 0:
        return np.full(len(spot_xy), -np.inf), np.full(len(spot_xy), -1, dtype=np.int64)
    _check_height(survey)
    level_dbm, server = signal_at(
        Terrain(survey.part.height_m, survey.part.cell_m),
        network.site_rc,
        network.sectors,
        len(layers),
        np.rint(grid_coordinates(survey.part.box, spot_xy[:, 0], spot_xy[:, 1])).astype(np.int32),
        rx_height_m=survey.settings.repeater_height_m,
        range_m=survey.settings.repeater_donor_km * 1000.0,
        model=survey.radio.propagation,
    )
    may_donate = np.array(
        [
            [survey.serves(technology) and assigned in (None, operator) for assigned in survey.assigned_operator]
            for operator, technology in layers
        ],
        dtype=np.bool_,
    )
    usable = may_donate[:, spot_hamlet]
    radio = survey.radio
    margin_db = fade_margin_db(radio.confidence, radio.model_sigma_db, radio.location_sigma_db)
    level_dbm = np.where(usable & (server >= 0), level_dbm - margin_db, -np.inf)
    best, spot = level_dbm.argmax(axis=0), np.arange(len(spot_xy))
    return level_dbm[best, spot], server[best, spot].astype(np.int64)


def _check_height(survey: Survey) -> None:
    """Raises ValueOutOfRange, with the scenario's keys, where the model takes no receiver as high as a repeater."""
    sectors, height_m = survey.network.sectors, survey.settings.repeater_height_m
    try:
        check_model(survey.radio.propagation, sectors.frequency_mhz, sectors.height_m, height_m)
    except ValueOutOfRange as fault:
        raise ValueOutOfRange(
            what=fault.what,
            where=f"candidates.repeater_height_m: {fault.where}",
            mend=f'{fault.mend}, or leave "repeater" out of  kinds  under [candidates]',
        ) from None


def _repeater(survey: Survey, xy: NDArray[np.float64], hamlet: int, donor: int, level_dbm: float) -> Repeater:
    settings, sectors = survey.settings, survey.network.sectors
    operator, technology = survey.network.layers[sectors.layer[donor]]
    listed = survey.sectors.iloc[survey.network.row[donor]]
    carrier = survey.radio.carrier(listed["band"])
    assert carrier is not None, "sectors of an unknown band are not in the network"
    bandwidth_mhz = carrier.bandwidth_mhz if np.isnan(listed["bandwidth_mhz"]) else float(listed["bandwidth_mhz"])
    rated_dbm = float(rs_eirp_dbm(settings.repeater_tx_power_dbm, resource_blocks(technology, bandwidth_mhz), 0.0, 0.0))
    output_dbm = min(level_dbm + settings.repeater_donor_gain_dbi + settings.repeater_gain_db, rated_dbm)
    around = survey.low.around(xy, settings.repeater_reach_km * 1000.0)
    directions = around.heaviest_directions(1)
    azimuth_deg = directions[0] if directions else 0.0
    antenna_m = survey.antenna_m(xy, settings.repeater_height_m)
    sector = SectorDraft(
        settings.repeater_height_m,
        float(sectors.frequency_mhz[donor]),
        azimuth_deg,
        survey.downtilt_deg(around, azimuth_deg, antenna_m),
        carrier.horizontal_beamwidth_deg,
        max(carrier.vertical_beamwidth_deg, settings.repeater_vertical_beamwidth_deg),
        output_dbm + settings.repeater_antenna_gain_dbi + carrier.model_offset_db,
    )
    site_id = f"L-{survey.targets.hamlets['hamlet_id'].iloc[hamlet]}"
    place = Place("repeater", site_id, xy, hamlet, operator, around)
    return Repeater(place, sector, donor, technology, str(listed["band"]))
