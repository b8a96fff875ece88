"""P.1812-7 along rays on a GPU: what `radial.radial_losses` gives, a thread a receiver.

A thread a ray, as the processor goes, would be some two thousand threads a site, each with hulls of its own to grow
and to search: too few to hide the memory's delay, and each soon in another branch than its neighbours. A thread a
receiver walks along its whole profile, but there are as many as cells in a disc, and 32 neighbours stand on one ray:
they read the same heights at the same time, and their profiles differ in length by a few points. The equations want
the receiver's own height at the end of the profile, so each thread keeps a copy, in a column: neighbours write side by
side.

Formulas are those of the processor: its compiled functions are compiled again for the GPU, those of any p also for
p = 50%, where most of the work is the walk. float64 throughout; only the rounding differs (multiply and add in one
step, another library of elementary functions).
"""

from __future__ import annotations

import threading
import warnings
from math import inf, nan, prod
from typing import Any

import numba.cuda
import numpy as np
from numpy.typing import NDArray

from phusong.coverage.cuda import check_device
from phusong.coverage.errors import DeviceUnusable
from phusong.coverage.propagation.effective_earth import effective_radius_km
from phusong.coverage.propagation.p1812 import P1812, location_db_of
from phusong.coverage.propagation.p1812_losses import Climate, free_space_db, losses_db
from phusong.coverage.propagation.p1812_path import RayPoints, survey
from phusong.coverage.radial import points_before, ray_direction, sample_ray, sort_by_ray
from phusong.coverage.terrain import Terrain

cuda: Any = numba.cuda  # the checker of types knows only numba's own, older module
BLOCK = 128  # threads
WALKERS = 256 * BLOCK  # threads at work at once, each with a profile of its own: 84 MiB at 335 points

# A disc's rays are fewer than numba likes to see threads; receivers are many.
warnings.filterwarnings("ignore", message=r"Grid size \d+ will likely result in GPU under-utilization")


# Kernels take device arrays, for which numba-cuda has no types: both stay without annotations.
@cuda.jit(cache=True)
def _sample(height_m, site_rc, step_rc, begin, distance, ray_m, known) -> None:  # type: ignore[no-untyped-def]
    # A thread a ray: its heights as far as its farthest receiver needs, and the number of the first unknown one.
    ray = cuda.grid(1)
    if ray < known.size and begin[ray] < begin[ray + 1]:
        points = points_before(distance[begin[ray + 1] - 1])
        known[ray] = sample_ray(height_m, site_rc[0], site_rc[1], step_rc[ray, 0], step_rc[ray, 1], ray_m[ray, :points])


@cuda.jit(cache=True)
def _walk(  # type: ignore[no-untyped-def]
    height_m, cell_m, cell_rc, ray, distance, ray_m, known, time_pct, radius_km, n0, latitude_deg, vertical, closed,
    rx_height_m, tx_height_m, first, frequency_ghz, location_db, profiles_m, loss_db,
) -> None:  # fmt: skip
    # Threads take receivers in turn. loss_db (bands, receivers), so that neighbours write side by side.
    thread = cuda.grid(1)
    step_km = 1e-3 * cell_m
    for j in range(thread, distance.size, cuda.gridsize(1)):
        ground_m = float(height_m[cell_rc[j, 0], cell_rc[j, 1]])
        last = points_before(distance[j])
        if last > known[ray[j]] or ground_m != ground_m:
            for b in range(frequency_ghz.size):
                loss_db[b, j] = inf
            continue
        profile_m = profiles_m[: last + 1, thread]
        for i in range(last):
            profile_m[i] = ray_m[ray[j], i]
        profile_m[last] = ground_m
        d = 1e-3 * (distance[j] * cell_m)
        spacing = RayPoints(step_km, last, d)
        climate = Climate(time_pct, radius_km, n0, latitude_deg, 0.0, d, d, 500.0, 500.0)
        for a in range(tx_height_m.size):
            if d == 0.0:
                rise_m = profile_m[0] + tx_height_m[a] - ground_m - rx_height_m
                for b in range(first[a], first[a + 1]):
                    loss_db[b, j] = free_space_db(0.0, rise_m, frequency_ghz[b])
                continue
            path = survey(spacing, profile_m, profile_m, False, tx_height_m[a], rx_height_m, radius_km)
            for b in range(first[a], first[a + 1]):
                half_db, sight_db = losses_db(path, climate, spacing, profile_m, frequency_ghz[b], vertical, closed)
                loss_db[b, j] = max(sight_db, half_db + location_db[b])
        for b in range(frequency_ghz.size):
            if not 0.03 <= frequency_ghz[b] <= 6.0:
                loss_db[b, j] = nan


class CudaRadial:
    """The radial mode of P.1812-7 on a GPU, which holds the terrain; `losses` may be called from several threads.

    terrain : heights, copied to the GPU once
    model   : parameters of P.1812; no other model has this path
    Raises DeviceUnusable where there is no numba-cuda or no GPU, and for another model.
    """

    def __init__(self, terrain: Terrain, model: Any) -> None:
        check_device("cuda")
        if not isinstance(model, P1812):
            raise DeviceUnusable(
                what="on a GPU only ITU-R P.1812 is computed",
                where=f'device = "cuda", model {type(model).__name__}',
                mend='choose model "p1812", or device "cpu"',
            )
        self._model = model
        self._cell_m = terrain.cell_m
        self._height_m = cuda.to_device(terrain.height_m)
        self._one_at_a_time = threading.Lock()
        self._held: dict[str, Any] = {}

    def losses(
        self,
        site_rc: NDArray[np.float64],
        cell_rc: NDArray[np.int32],
        rays: int,
        rx_height_m: float,
        tx_height_m: NDArray[np.float64],
        first: NDArray[np.int64],
        frequency_mhz: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """(N, K) what `radial.radial_losses` writes [dB], to about 1e-9 dB; inf where a height on the ray is unknown.

        site_rc, cell_rc : (2,) float and (N, 2) int (row, col) on the terrain
        rays             : in the full circle
        rx_height_m      : receivers above ground [m]
        tx_height_m      : (A,) antennas above ground [m]; frequency_mhz[first[a] : first[a + 1]] (K,) are the bands
                           on each
        """
        loss_db = np.empty((len(cell_rc), len(frequency_mhz)))
        if loss_db.size == 0:
            return loss_db
        # Sorted here, not there: both sort a cell that lies right between two rays to the same one.
        begin, order, distance = sort_by_ray(site_rc[0], site_rc[1], cell_rc, rays)
        near_first = distance[order]
        ray = np.repeat(np.arange(rays, dtype=np.int32), np.diff(begin))
        with self._one_at_a_time:
            reach = cuda.to_device(near_first)
            ray_m, known = self._sampled(np.asarray(site_rc, np.float64), rays, begin, float(near_first.max()), reach)
            walkers = min(-(-len(order) // BLOCK) * BLOCK, WALKERS)
            result = self._room("losses", loss_db.shape[::-1])
            _walk[walkers // BLOCK, BLOCK](
                self._height_m, self._cell_m, cuda.to_device(cell_rc[order]), cuda.to_device(ray), reach, ray_m, known,
                *self._air(), float(rx_height_m), *self._bands(tx_height_m, first, frequency_mhz, rx_height_m),
                self._room("profiles", (ray_m.shape[1] + 1, walkers)), result,
            )  # fmt: skip
            loss_db[order] = result.copy_to_host().T
        return loss_db

    def _sampled(
        self, site_rc: NDArray[np.float64], rays: int, begin: NDArray[np.int64], farthest: float, reach: Any
    ) -> tuple[Any, Any]:
        # Heights on the rays (rays, points), and how many of them are known (rays,), on the GPU.
        if self._held.get("rays") != rays:
            # The processor's sines, so that both step to the same places.
            step_rc = np.array([ray_direction(ray, rays) for ray in range(rays)])
            self._held.update(rays=rays, directions=cuda.to_device(step_rc))
        ray_m = self._room("heights", (rays, points_before(farthest)))
        known = self._room("known", (rays,), np.int32)
        _sample[-(-rays // BLOCK), BLOCK](
            self._height_m,
            cuda.to_device(site_rc),
            self._held["directions"],
            cuda.to_device(begin),
            reach,
            ray_m,
            known,
        )
        return ray_m, known

    def _air(self) -> tuple[float, float, float, float, bool, bool]:
        model = self._model
        return (
            float(model.time_pct), effective_radius_km(model.delta_n), float(model.n0), float(model.latitude_deg),
            bool(model.vertical), bool(model.closed_smooth_earth),
        )  # fmt: skip

    def _bands(
        self,
        tx_height_m: NDArray[np.float64],
        first: NDArray[np.int64],
        frequency_mhz: NDArray[np.float64],
        rx_height_m: float,
    ) -> tuple[Any, Any, Any, Any]:
        frequency_ghz = 1e-3 * frequency_mhz
        location_db = [location_db_of(self._model, ghz, float(rx_height_m)) for ghz in frequency_ghz.tolist()]
        bands = (tx_height_m, first, frequency_ghz, np.array(location_db))
        return tuple(cuda.to_device(array) for array in bands)

    def _room(self, name: str, shape: tuple[int, ...], dtype: type[Any] = np.float64) -> Any:
        # An array on the GPU, kept from call to call: to allocate one can take longer than to fill it.
        size = prod(shape)
        if name not in self._held or self._held[name].size < size:
            self._held.pop(name, None)  # gives the smaller one back first
            self._held[name] = cuda.device_array(size, dtype)
        return self._held[name][:size].reshape(shape)
