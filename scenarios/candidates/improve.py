"""What stands already, made better: the cheapest remedies come first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.scenarios.candidates import costs as price_of
from phusong.scenarios.candidates.aim import Surroundings
from phusong.scenarios.candidates.options import OptionList, SectorDraft
from phusong.scenarios.candidates.settings import Kind
from phusong.scenarios.candidates.survey import Survey
from phusong.scenarios.radio import Carrier

LOW_BAND_MHZ = 1000.0  # below it a band reaches behind hills and into houses better than the common 1.8-3.8 GHz


@dataclass(frozen=True, slots=True)
class _Mast:
    """A standing site: location in the options, and its sectors on air (indexes in the network)."""

    location: int
    site_id: str
    xy: NDArray[np.float64]
    around: Surroundings
    operators: tuple[str, ...]
    height_m: float
    sectors: NDArray[np.int64]


def add_improvements(survey: Survey, options: OptionList) -> None:
    """Options on every existing site with low-signal hamlets in reach.

    A site's re-aimed sector and its raised mast exclude each other, as both take the same antennas down; so do two
    low bands of one operator, and two bands of a new technology. All else can be combined.
    """
    kinds = survey.settings.kinds
    for mast in _masts(survey, options):
        antennas = options.exclusive_group()
        serving = np.array(
            [k for k in mast.sectors if survey.serves(_layer(survey, k)[1])],
            dtype=np.int64,
        )
        if len(serving):
            if "sector-added" in kinds:
                _add_sectors(survey, options, mast, serving)
            if "re-aimed" in kinds:
                _re_aim(survey, options, mast, serving, antennas)
            if "higher-mast" in kinds:
                _raise_mast(survey, options, mast, antennas)
        for operator in mast.operators:
            own = [k for k in serving if _layer(survey, k)[0] == operator]
            if not own and "new-technology" in kinds:
                _add_stations(survey, options, mast, operator, "new-technology", survey.new_carriers)
            if own and "new-low-band" in kinds:
                _add_low_bands(survey, options, mast, operator, np.array(own))


def _masts(survey: Survey, options: OptionList) -> list[_Mast]:
    frame, network = survey.sectors, survey.network
    on_air = {int(row): k for k, row in enumerate(network.row)}
    rows_of: dict[str, list[int]] = {}
    for row, site_id in enumerate(frame["site_id"]):
        rows_of.setdefault(str(site_id), []).append(row)
    hamlet_ids = survey.targets.hamlets["hamlet_id"].tolist()
    masts = []
    for site_id, rows in sorted(rows_of.items()):
        point = frame.geometry.iloc[rows[0]]
        xy = np.array([point.x, point.y])
        around = survey.low.around(xy, survey.settings.improve_reach_km * 1000.0)
        if len(around.people) == 0:
            options.drop("site-without-low-signal-hamlet-in-reach")
            continue
        ground_m = survey.antenna_m(xy, 0.0)
        if not np.isfinite(ground_m):
            options.drop("site-outside-the-terrain")
            continue
        nearest = hamlet_ids[around.hamlet[np.argmin(around.distance_m)]]
        location = options.add_site(
            xy, site_id, site_id, "existing", "existing-site", nearest, ground_m, int(around.people.sum())
        )
        operators = tuple(sorted({str(operator) for operator in frame["operator"].iloc[rows]}))
        height_m = float(frame["antenna_height_m"].iloc[rows].max())
        sectors = np.array([on_air[row] for row in rows if row in on_air], dtype=np.int64)
        masts.append(_Mast(location, site_id, xy, around, operators, height_m, sectors))
    return masts


def _add_sectors(survey: Survey, options: OptionList, mast: _Mast, serving: NDArray[np.int64]) -> None:
    """A sector like the nearest one, in each of the heaviest directions that none faces."""
    for azimuth_deg in mast.around.heaviest_directions(survey.settings.added_sectors):
        nearest, turn_deg = _nearest_sector(survey, serving, azimuth_deg)
        if turn_deg < survey.settings.min_turn_deg:
            options.drop("sector-already-faces-the-hamlets")
            continue
        operator, technology = _layer(survey, nearest)
        options.add(
            mast.location,
            "sector-added",
            operator,
            technology,
            _band(survey, nearest),
            price_of.sector_added(survey.costs, technology),
            [_turned(survey, mast, nearest, azimuth_deg)],
        )


def _re_aim(survey: Survey, options: OptionList, mast: _Mast, serving: NDArray[np.int64], antennas: int) -> None:
    """The nearest sector turned, or only tilted, to the heaviest direction."""
    azimuths_deg = survey.network.sectors.azimuth_deg[serving]
    directions = mast.around.heaviest_directions(1)
    if not np.isfinite(azimuths_deg).any() or not directions:
        options.drop("omnidirectional-site-cannot-be-re-aimed")
        return
    directional = serving[np.isfinite(azimuths_deg)]
    nearest, turn_deg = _nearest_sector(survey, directional, directions[0])
    turned = _turned(survey, mast, nearest, directions[0])
    tilt_deg = abs(turned.tilt_deg - _draft(survey, nearest).tilt_deg)
    if turn_deg < survey.settings.min_turn_deg:
        if tilt_deg < survey.settings.min_tilt_deg:
            options.drop("sector-already-aimed")
            return
        turned = turned._replace(azimuth_deg=float(survey.network.sectors.azimuth_deg[nearest]))
    operator, technology = _layer(survey, nearest)
    options.add(
        mast.location,
        "re-aimed",
        operator,
        technology,
        _band(survey, nearest),
        price_of.sector_turned(survey.costs),
        [turned],
        replaces=[nearest],
        exclusive=antennas,
    )


def _raise_mast(survey: Survey, options: OptionList, mast: _Mast, antennas: int) -> None:
    """All antennas of the mast go up by the same height."""
    raise_m = survey.settings.mast_raise_m
    if mast.height_m + raise_m > survey.settings.max_mast_m:
        options.drop("mast-too-high-to-raise")
        return
    drafts = [_draft(survey, k) for k in mast.sectors]
    layers = [_layer(survey, k) for k in mast.sectors]
    first = next(k for k in mast.sectors if survey.serves(_layer(survey, k)[1]))
    operator, technology = _layer(survey, first)
    options.add(
        mast.location,
        "higher-mast",
        operator,
        technology,
        _band(survey, first),
        price_of.mast_raised(survey.costs, raise_m),
        [draft._replace(height_m=draft.height_m + raise_m) for draft in drafts],
        sector_layers=layers,
        replaces=mast.sectors.tolist(),
        exclusive=antennas,
    )


def _add_low_bands(survey: Survey, options: OptionList, mast: _Mast, operator: str, own: NDArray[np.int64]) -> None:
    if (survey.network.sectors.frequency_mhz[own] < LOW_BAND_MHZ).any():
        options.drop("low-band-already-there")
        return
    _add_stations(survey, options, mast, operator, "new-low-band", survey.carriers(survey.settings.low_bands))


def _add_stations(
    survey: Survey, options: OptionList, mast: _Mast, operator: str, kind: Kind, carriers: list[tuple[str, Carrier]]
) -> None:
    """Three sectors of one of the carriers; the options exclude each other."""
    group = options.exclusive_group()
    for band, carrier in carriers:
        options.add(
            mast.location,
            kind,
            operator,
            survey.technology,
            band,
            price_of.station_added(survey.costs, survey.technology),
            survey.three_sectors(mast.xy, mast.around, carrier, mast.height_m),
            exclusive=group,
        )


def _layer(survey: Survey, sector: int) -> tuple[str, str]:
    return survey.network.layers[survey.network.sectors.layer[sector]]


def _band(survey: Survey, sector: int) -> str:
    return str(survey.sectors["band"].iloc[survey.network.row[sector]])


def _draft(survey: Survey, sector: int) -> SectorDraft:
    sectors = survey.network.sectors
    plain = {name: float(getattr(sectors, name)[sector]) for name in SectorDraft._fields if name != "pattern"}
    return SectorDraft(**plain, pattern=int(sectors.pattern.index[sector]))


def _nearest_sector(survey: Survey, sectors: NDArray[np.int64], azimuth_deg: float) -> tuple[int, float]:
    """The sector whose azimuth is nearest, and by how much it misses; an omnidirectional one faces nothing."""
    turn_deg = np.abs((survey.network.sectors.azimuth_deg[sectors] - azimuth_deg + 180.0) % 360.0 - 180.0)
    turn_deg = np.where(np.isnan(turn_deg), 180.0, turn_deg)
    nearest = int(np.argmin(turn_deg))
    return int(sectors[nearest]), float(turn_deg[nearest])


def _turned(survey: Survey, mast: _Mast, sector: int, azimuth_deg: float) -> SectorDraft:
    """A sector like a standing one, turned and tilted to the people; where that one is omnidirectional, a
    directional antenna of the same carrier takes its place."""
    like = _draft(survey, sector)
    tilt_deg = survey.downtilt_deg(mast.around, azimuth_deg, survey.antenna_m(mast.xy, like.height_m))
    carrier = survey.radio.carrier(_band(survey, sector))
    if np.isnan(like.azimuth_deg) and carrier is not None:
        return SectorDraft.of_carrier(
            carrier,
            height_m=like.height_m,
            azimuth_deg=azimuth_deg,
            downtilt_deg=tilt_deg,
            feeder_loss_db=survey.radio.feeder_loss_db,
        )
    # The beam is tilted within the antenna, which keeps leaning as it does.
    return like._replace(azimuth_deg=azimuth_deg, downtilt_deg=tilt_deg - like.mechanical_tilt_deg)
