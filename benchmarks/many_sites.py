"""420 sites on one map, several servers a cell: `python -m benchmarks.many_sites [exact|radial] [threads]`.

All sites and sectors of n21e105 (synthetic sites on real terrain) at 90 m, 30 km, full P.1812-7 at p = 50%: three best
servers of each operator's 4G and 5G layer, overlap, and power summed on each operator's channels. Prints elapsed and
CPU seconds after compilation, receiver cells, and the most memory the process held.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pandas as pd

from benchmarks.terrains import CELL_M, DATA, read_terrain
from phusong.coverage.sectors import Sectors
from phusong.coverage.signal_layers import signal_layers

RANGE_M, RX_M = 30e3, 1.5
NORTH, WEST, CELLS_A_DEGREE = 22.0, 105.0, 1200
BAND_MHZ = {"B3": 1842.5, "n41": 2593.0, "n77": 3750.0, "n78": 3550.0}
CARRIER_PARTS_DB = {"B3": 30.8, "n41": 35.2, "n77": 35.2, "n78": 35.2}  # 10 log10 of its resource elements


def site_list() -> tuple[np.ndarray, Sectors, np.ndarray]:
    """Sites (row, col), sectors, and each sector's channel: one a pair of operator and band."""
    table = pd.read_csv(DATA / "n21e105" / "sites_synthetic.csv")
    location, _ = pd.factorize(table.site_id)
    first = table.drop_duplicates("site_id")
    site_rc = np.stack([(NORTH - first.lat) * CELLS_A_DEGREE, (first.lon - WEST) * CELLS_A_DEGREE], axis=1)
    layer, _ = pd.factorize(table.operator + table.technology)
    channel, _ = pd.factorize(table.operator + table.band)
    eirp_dbm = table.tx_power_dbm + table.antenna_gain_dbi - 2.0 - table.band.map(CARRIER_PARTS_DB)
    sectors = Sectors(
        location=location,
        height_m=table.antenna_height_m.to_numpy(),
        frequency_mhz=table.band.map(BAND_MHZ).to_numpy(),
        azimuth_deg=table.azimuth_deg.to_numpy(),
        downtilt_deg=table.downtilt_deg.to_numpy(),
        horizontal_beamwidth_deg=np.full(len(table), 65.0),
        vertical_beamwidth_deg=np.full(len(table), 8.0),
        rs_eirp_dbm=eirp_dbm.to_numpy(),
        layer=layer,
    )
    return site_rc, sectors, channel


def main() -> None:
    mode = sys.argv[1] if len(sys.argv) > 1 else "radial"
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else None
    terrain = read_terrain("n21e105")
    site_rc, sectors, channel = site_list()
    rows, cols = np.indices(terrain.height_m.shape)
    cells = 0
    for site in site_rc:
        cells += int((np.hypot(rows - site[0], cols - site[1]) * CELL_M <= RANGE_M).sum())
    arguments = {
        "rx_height_m": RX_M,
        "n_best": 3,
        "channel": channel,
        "n_channels": int(channel.max()) + 1,
        "model": "p1812",
        "mode": mode,
        "threads": threads,
    }
    n_layers = int(sectors.layer.max()) + 1
    signal_layers(terrain, site_rc, sectors, n_layers, range_m=300.0, **arguments)  # compiles
    elapsed, cpu = time.perf_counter(), time.process_time()
    found = signal_layers(terrain, site_rc, sectors, n_layers, range_m=RANGE_M, **arguments)
    elapsed, cpu = time.perf_counter() - elapsed, time.process_time() - cpu
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{mode}: {len(site_rc)} sites, {len(sectors)} sectors, {n_layers} layers, {arguments['n_channels']} channels,"
        f" {cells / 1e6:.1f} M px: {elapsed:.1f} s elapsed, {cpu:.1f} CPU s, {1e9 * cpu / cells:.0f} ns a px,"
        f" {held:.2f} GiB; {np.mean(found.server[0] >= 0):.1%} of the cells served"
    )


if __name__ == "__main__":
    main()
