"""Option coverage against a plain loop and against the full-precision signal."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from phusong.coverage.antenna import attenuation_db, bearing_deg, depression_deg
from phusong.coverage.antenna_pattern import ChosenPatterns, panel_pattern, pattern_table, tr36814_pattern
from phusong.coverage.errors import SectorWithoutRow, ValueOutOfRange
from phusong.coverage.loss_rows import loss_rows
from phusong.coverage.matrix import option_coverage, sector_keys, sector_rows
from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_at
from phusong.coverage.terrain import Terrain

RX_M, RANGE_M, N_OPTIONS = 1.5, 4000.0, 9


@pytest.fixture(scope="module")
def scene():
    """Three locations, 24 sectors in 9 options (one empty, one at two locations), 400 demand cells."""
    rng = np.random.default_rng(11)
    terrain = Terrain(rng.uniform(0.0, 60.0, (50, 50)).astype(np.float32), 90.0)
    sites = np.array([[10.2, 12.7], [33.0, 30.0], [20.5, 41.1]])
    count = 24
    location = rng.integers(0, 3, count)
    option = rng.integers(0, N_OPTIONS - 1, count)
    option[:3] = -1
    sectors = Sectors(
        location=location,
        height_m=rng.choice([24.0, 42.3], count),
        frequency_mhz=rng.choice([1800.0, 709.9], count),
        azimuth_deg=rng.choice([0.0, 120.0, 240.0, nan], count),
        downtilt_deg=rng.choice([2.0, 5.0], count),
        horizontal_beamwidth_deg=np.full(count, 65.0),
        vertical_beamwidth_deg=np.full(count, 9.0),
        rs_eirp_dbm=rng.uniform(20.0, 33.0, count),
        layer=np.zeros(count),
    )
    cells = np.argwhere(np.ones((50, 50), bool))[rng.permutation(2500)[:400]]
    required_dbm = rng.uniform(-100.0, -85.0, 400)
    keys = np.unique(sector_keys(sectors), axis=0)
    rows = loss_rows(terrain, sites, keys, cells, rx_height_m=RX_M, range_m=RANGE_M)
    return terrain, sites, sectors, option, cells, required_dbm, rows


@pytest.fixture(scope="module")
def special_scene(scene):
    """The same with leaning antennas, and patterns of both kinds and of none."""
    terrain, sites, sectors, option, cells, required_dbm, rows = scene
    rng = np.random.default_rng(12)
    table = pattern_table(
        [
            replace(panel_pattern(8, 1, row_spacing_wavelengths=0.8, electrical_tilt_deg=4.0), cut_turn_deg=20.0),
            tr36814_pattern(65, 7, 3, 17.5),
        ]
    )
    special = replace(
        sectors,
        mechanical_tilt_deg=rng.choice([0.0, 3.0, -2.0], len(sectors)),
        pattern=ChosenPatterns(rng.integers(-1, 2, len(sectors)), table),
    )
    return terrain, sites, special, option, cells, required_dbm, rows


def plain_pattern_db(sectors, s, bearing, depression):
    """Attenuation of a sector by vectors and numpy.interp."""
    azimuth, lean = np.radians([sectors.azimuth_deg[s], sectors.mechanical_tilt_deg[s]])
    if not np.isnan(azimuth):
        north, east = np.cos(np.radians([bearing, bearing - 90.0])) * np.cos(np.radians(depression))
        ray = np.array([north, east, -np.sin(np.radians(depression))])  # north, east, up
        ahead = np.array([np.cos(azimuth) * np.cos(lean), np.sin(azimuth) * np.cos(lean), -np.sin(lean)])
        aside = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
        up = np.array([np.cos(azimuth) * np.sin(lean), np.sin(azimuth) * np.sin(lean), np.cos(lean)])
        turn, depression = np.degrees([np.arctan2(ray @ aside, ray @ ahead), -np.arcsin(ray @ up)])
    else:
        turn = 0.0
    chosen, table = sectors.pattern.index[s], sectors.pattern.table
    if chosen < 0:
        facing = nan if np.isnan(azimuth) else 0.0
        return attenuation_db(turn, depression, facing, sectors.downtilt_deg[s], 65.0, 9.0)

    def cut_db(plane, angle):
        return np.interp(angle, np.arange(360.0), table.cuts_db[chosen, plane], period=360.0)

    down = depression - (sectors.downtilt_deg[s] - table.electrical_tilt_deg[chosen])
    if not np.isnan(table.sum_limit_db[chosen]):
        return min(cut_db(0, turn) + cut_db(1, down), table.sum_limit_db[chosen])
    through = table.cut_turn_deg[chosen]
    behind = np.degrees(np.arccos(np.clip(np.cos(np.radians(turn - through)), -1.0, 1.0))) / 180.0
    ahead_db, back_db = cut_db(1, down) - cut_db(0, through), cut_db(1, 180.0 - down) - cut_db(0, through + 180.0)
    return max(cut_db(0, turn) + (1.0 - behind) * ahead_db + behind * back_db, 0.0)


@pytest.mark.parametrize("kind", ["scene", "special_scene"])
def test_option_coverage_equals_a_plain_loop(kind, request):
    terrain, sites, sectors, option, cells, required_dbm, rows = request.getfixturevalue(kind)
    expected = np.zeros((N_OPTIONS, len(cells)), bool)
    for s, row in enumerate(sector_rows(rows, sectors)):
        site = sites[sectors.location[s]]
        (r, c), (down, right) = site.astype(int), site % 1.0
        square = terrain.height_m[r : r + 2, c : c + 2].astype(float)
        foot_m = np.array([1 - down, down]) @ square @ np.array([1 - right, right])
        for cell, loss_db in zip(*rows.row(row), strict=True):
            rows_down, cols_right = cells[cell] - site
            drop_m = foot_m + sectors.height_m[s] - terrain.height_m[tuple(cells[cell])] - RX_M
            pattern_db = plain_pattern_db(
                sectors,
                s,
                bearing_deg(rows_down, cols_right),
                depression_deg(np.hypot(rows_down, cols_right) * 90.0, drop_m),
            )
            if option[s] >= 0 and sectors.rs_eirp_dbm[s] - pattern_db - loss_db >= required_dbm[cell]:
                expected[option[s], cell] = True
    covers = option_coverage(rows, terrain, sites, sectors, option, N_OPTIONS, cells, required_dbm, RX_M)
    assert covers.shape == (N_OPTIONS, len(cells))
    assert covers.dtype == bool
    assert covers.has_canonical_format
    assert np.array_equal(covers.toarray(), expected)
    assert 0.02 < expected[:-1].mean() < 0.9
    assert not expected[-1].any()


@pytest.mark.parametrize("kind", ["scene", "special_scene"])
def test_the_matrix_never_promises_what_the_signal_does_not_hold(kind, request):
    terrain, sites, sectors, option, cells, required_dbm, rows = request.getfixturevalue(kind)
    covers = option_coverage(rows, terrain, sites, sectors, option, N_OPTIONS, cells, required_dbm, RX_M).toarray()
    missed = 0
    for number in range(N_OPTIONS):
        own = Sectors(*(getattr(sectors, name)[option == number] for name in Sectors.__dataclass_fields__))
        level_dbm, _ = signal_at(terrain, sites, own, 1, cells, rx_height_m=RX_M, range_m=RANGE_M)
        served = level_dbm[0] >= required_dbm
        assert not (covers[number] & ~served).any()
        missed += int((served & ~covers[number]).sum())
        assert not ((level_dbm[0] >= required_dbm + 0.5) & ~covers[number]).any()  # half a decibel is the whole price
    assert missed > 0


def test_one_level_for_all_cells_and_no_option(scene):
    terrain, sites, sectors, option, cells, _, rows = scene
    one = option_coverage(rows, terrain, sites, sectors, option, N_OPTIONS, cells, -95.0, RX_M)
    same = option_coverage(
        rows, terrain, sites, sectors, option, N_OPTIONS, cells, np.full(400, -95.0), RX_M, threads=1
    )
    assert (one != same).nnz == 0
    none = option_coverage(rows, terrain, sites, sectors, np.full(24, -1), 0, cells, -95.0, RX_M)
    assert none.shape == (0, 400)


def test_what_the_matrix_refuses(scene):
    terrain, sites, sectors, option, cells, required_dbm, rows = scene
    taller = replace(sectors, height_m=sectors.height_m + 0.1)
    with pytest.raises(SectorWithoutRow, match=r"24 sectors have no loss row"):
        sector_rows(rows, taller)
    with pytest.raises(ValueOutOfRange, match="do not fit"):
        option_coverage(rows, terrain, sites, sectors, option, 3, cells, required_dbm, RX_M)
