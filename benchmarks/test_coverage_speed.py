"""Speed of the coverage kernels, each beside a plain NumPy twin in the same run.

px: one receiver cell of one site; pair: one sector and one demand cell of its row. Model: delta-Bullington on exact
profiles where no other is named, one height and one band. Seconds are CPU seconds of one thread, so the ratio travels
between machines. On real terrain: `python -m benchmarks.radial`; 420 sites: `python -m benchmarks.many_sites`.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

from phusong.coverage.loss_rows import loss_rows
from phusong.coverage.matrix import option_coverage, sector_keys
from phusong.coverage.propagation import P1812, STANDARD_EFFECTIVE_RADIUS_KM, DeltaBullington
from phusong.coverage.radial import radial_losses, ray_count
from phusong.coverage.sectors import Sectors
from phusong.coverage.sweep import signal_map, site_losses
from phusong.coverage.terrain import Terrain

CELL_M, TX_M, RX_M, FREQUENCY_MHZ = 90.0, 35.0, 1.5, 1800.0
TESTS = Path(__file__).resolve().parents[1] / "tests" / "coverage"


def plain_twin(file, function):
    """A NumPy twin, from the test that holds it."""
    spec = importlib.util.spec_from_file_location(file, TESTS / f"{file}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, function)


@pytest.fixture(scope="module")
def hills():
    """54 x 54 km of spectral ground, sd 230 m (synthetic)."""
    rng = np.random.default_rng(5)
    side = 600
    waves = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    spectrum = np.fft.fft2(rng.normal(size=(side, side))) * (waves + CELL_M / 20e3) ** -1.72
    ground = np.fft.ifft2(spectrum).real
    ground = (ground - ground.mean()) / ground.std() * 230.0
    return Terrain((ground - ground.min()).astype(np.float32), CELL_M)


def cells_within(terrain, site, range_m, every=1):
    rows, cols = np.indices(terrain.height_m.shape)
    inside = np.hypot(rows - site[0], cols - site[1]) * CELL_M <= range_m
    return np.argwhere(inside)[::every].astype(np.int32, order="C")


def three_sectors(locations):
    count = 3 * locations
    return Sectors(
        location=np.repeat(np.arange(locations), 3),
        height_m=np.full(count, TX_M),
        frequency_mhz=np.full(count, FREQUENCY_MHZ),
        azimuth_deg=np.tile([0.0, 120.0, 240.0], locations),
        downtilt_deg=np.full(count, 3.0),
        horizontal_beamwidth_deg=np.full(count, 65.0),
        vertical_beamwidth_deg=np.full(count, 8.0),
        rs_eirp_dbm=np.full(count, 30.7),
        layer=np.zeros(count),
    )


def cpu_s(work):
    begin = time.process_time()
    work()
    return time.process_time() - begin


def timed(benchmark, work, items, unit, twin=None):
    """Runs under pytest-benchmark and notes items per CPU second, the kernel's and the twin's."""
    work()  # compiled
    seconds = [benchmark.pedantic(cpu_s, args=(work,), rounds=1)]
    seconds += [cpu_s(work) for _ in range(2)]
    speed = items / min(seconds)
    benchmark.extra_info[f"{unit}_per_s_core"] = round(speed)
    line = f"\n{benchmark.name}: {speed:,.0f} {unit}/s per core"
    if twin is not None:
        twin_work, twin_items = twin
        twin_speed = twin_items / cpu_s(twin_work)
        benchmark.extra_info[f"twin_{unit}_per_s_core"] = round(twin_speed)
        benchmark.extra_info["times_the_twin"] = round(speed / twin_speed, 1)
        line += f", NumPy twin {twin_speed:,.0f}: {speed / twin_speed:,.0f} x"
    print(line)


@pytest.mark.parametrize("range_m", [10e3, 24e3])
def test_delta_bullington_to_every_cell(benchmark, hills, range_m):
    site = np.array([299.6, 300.3])
    cells = cells_within(hills, site, range_m)
    loss_db = np.empty((len(cells), 1))
    bands = (np.array([TX_M]), np.array([0, 1]), np.array([FREQUENCY_MHZ]))

    def work():
        site_losses(DeltaBullington(), hills.height_m, CELL_M, *site, cells, RX_M, *bands, loss_db)

    profile = plain_twin("test_sweep", "plain_profile")
    twin_loss_db = plain_twin("test_delta_bullington", "twin_loss_db")
    some = range(0, len(cells), len(cells) // 300)
    twin_db = {}

    def twin():
        for j in some:
            ground_m = profile(hills.height_m, site, cells[j])
            step_m = np.hypot(*(cells[j] - site)) * CELL_M / (len(ground_m) - 1)
            twin_db[j] = twin_loss_db(ground_m, step_m, TX_M, RX_M, FREQUENCY_MHZ, STANDARD_EFFECTIVE_RADIUS_KM)

    timed(benchmark, work, len(cells), "px", (twin, len(some)))
    assert loss_db[list(twin_db), 0] == pytest.approx(list(twin_db.values()), abs=1e-7)


@pytest.mark.parametrize("mode", ["exact", "radial"])
def test_p1812_to_every_cell(benchmark, hills, mode):
    """Full P.1812-7 at p = 50%, 26 km."""
    site = np.array([299.6, 300.3])
    cells = cells_within(hills, site, 26e3)
    loss_db = np.empty((len(cells), 1))
    around = (P1812(), hills.height_m, CELL_M, *site, cells)
    bands = (RX_M, np.array([TX_M]), np.array([0, 1]), np.array([FREQUENCY_MHZ]), loss_db)
    rays = ray_count(26e3, CELL_M)
    timed(
        benchmark,
        lambda: site_losses(*around, *bands) if mode == "exact" else radial_losses(*around, rays, *bands),
        len(cells),
        "px",
    )


def test_signal_map(benchmark, hills):
    """Losses, patterns of three sectors, best server and merging, on one thread."""
    sites = np.array([[200.3, 210.8], [390.1, 405.6]])
    items = sum(len(cells_within(hills, site, 15e3)) for site in sites)
    sectors = three_sectors(2)

    def work():
        signal_map(hills, sites, sectors, 1, rx_height_m=RX_M, range_m=15e3, threads=1)

    timed(benchmark, work, items, "px")


def test_option_coverage(benchmark, hills):
    """Ten options a location, each of three sectors, against 5,000 demand cells."""
    sites = np.random.default_rng(7).uniform(150.0, 450.0, (20, 2))
    cells = cells_within(hills, (300.0, 300.0), 20e3, every=31)
    base = three_sectors(len(sites))
    rows = loss_rows(
        hills, sites, np.unique(sector_keys(base), axis=0), cells, rx_height_m=RX_M, range_m=30e3, threads=1
    )
    sectors = Sectors(*(np.tile(getattr(base, name), 10) for name in Sectors.__dataclass_fields__))
    option = np.repeat(np.arange(len(sectors) // 3), 3)

    def work():
        option_coverage(rows, hills, sites, sectors, option, len(sectors) // 3, cells, -95.0, RX_M, threads=1)

    timed(benchmark, work, 30 * len(rows.cell), "pair")
