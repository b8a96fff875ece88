"""Values off the digital maps of ITU-R Recommendations, which may not be given on: from the `itur` package or a folder.

Only the files asked for are opened. Their grids are those of the Recommendations; a file of another shape is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from math import log
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.data_sources.errors import RasterMissing, RasterUnreadable

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the rows and columns of a map lie: first latitude and step, first longitude and step [degrees]."""

    latitude_deg: float
    latitude_step_deg: float
    longitude_deg: float
    longitude_step_deg: float
    rows: int
    columns: int

    def place(self, latitude_deg: Array, longitude_deg: Array) -> tuple[Array, Array]:
        """Row and column as fractions; longitudes go round."""
        row = (latitude_deg - self.latitude_deg) / self.latitude_step_deg
        column = np.mod(longitude_deg - self.longitude_deg, 360.0) / self.longitude_step_deg
        return row, column

    def point(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> tuple[Array, Array]:
        """Latitude and longitude of grid points [degrees]."""
        latitude = self.latitude_deg + row.astype(np.float64) * self.latitude_step_deg
        longitude = self.longitude_deg + column.astype(np.float64) * self.longitude_step_deg
        return np.asarray(latitude), np.asarray(longitude)


# P.837-7 (two), P.839-4, P.1510-1 and P.453-14, P.836-6 and P.840-8, P.840-9, and the ground of P.836-6.
RAIN_RATE = Grid(-90.0, 0.125, -180.0, 0.125, 1441, 2881)
MONTHLY_RAIN = Grid(-90.125, 0.25, -180.125, 0.25, 722, 1442)
ISOTHERM = Grid(90.0, -1.5, 0.0, 1.5, 121, 241)
SURFACE = Grid(-90.0, 0.75, -180.0, 0.75, 241, 481)
VAPOUR = Grid(90.0, -1.125, 0.0, 1.125, 161, 321)
CLOUD = Grid(90.0, -0.25, 0.0, 0.25, 721, 1441)
VAPOUR_GROUND = Grid(90.5, -0.5, -0.5, 0.5, 363, 723)
SHARES_PCT = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 99.0)
RARE_SHARES_PCT = (0.01, 0.02, 0.03, 0.05, *SHARES_PCT)  # of P.840-9


@lru_cache(maxsize=48)
def _values(path: Path, grid: Grid) -> Array:
    if not path.is_file():
        raise RasterMissing(
            what="a digital map of the ITU-R is not there",
            where=str(path),
            mend='install the extra "itu", or name the folder "data" of the itur package',
        )
    try:
        with np.load(path) as file:
            values = np.asarray(file[file.files[0]], np.float64)
    except (ValueError, OSError, BadZipFile, EOFError, IndexError) as error:
        raise RasterUnreadable(
            what="a digital map of the ITU-R cannot be read", where=f"{path}: {error}", mend="install itur again"
        ) from error
    if values.shape != (grid.rows, grid.columns):
        raise RasterUnreadable(
            what="a digital map of the ITU-R has another grid than its Recommendation",
            where=f"{path}: {values.shape} instead of {(grid.rows, grid.columns)}",
            mend="take the file of the edition named here, from itur 0.4 or later",
        )
    return values


def _corners(grid: Grid, row: Array, column: Array) -> list[tuple[NDArray[np.int64], NDArray[np.int64], Array]]:
    """The four grid points around each place, and their bilinear weights."""
    low_row = np.clip(np.floor(row).astype(np.int64), 0, grid.rows - 2)
    low_column = np.clip(np.floor(column).astype(np.int64), 0, grid.columns - 2)
    down, right = row - low_row, column - low_column
    return [
        (low_row, low_column, (1.0 - down) * (1.0 - right)),
        (low_row, low_column + 1, (1.0 - down) * right),
        (low_row + 1, low_column, down * (1.0 - right)),
        (low_row + 1, low_column + 1, down * right),
    ]


def _cubic_weights(fraction: Array) -> list[Array]:
    """Weights of the points -1, 0, 1 and 2 around a fraction of a step: ITU-R P.1144, bicubic interpolation."""
    weights = []
    for point in (-1.0, 0.0, 1.0, 2.0):
        d = np.abs(fraction - point)
        near, far = 1.5 * d**3 - 2.5 * d**2 + 1.0, -0.5 * d**3 + 2.5 * d**2 - 4.0 * d + 2.0
        weights.append(np.where(d <= 1.0, near, far))
    return weights


def _cubic(values: Array, grid: Grid, row: Array, column: Array) -> Array:
    low_row = np.clip(np.floor(row).astype(np.int64), 1, grid.rows - 3)
    low_column = np.clip(np.floor(column).astype(np.int64), 1, grid.columns - 3)
    total = np.zeros(row.shape)
    for i, down in enumerate(_cubic_weights(row - low_row), start=-1):
        for j, right in enumerate(_cubic_weights(column - low_column), start=-1):
            total += down * right * values[low_row + i, low_column + j]
    return total


def _name(pct: float) -> str:
    return f"{pct:g}".replace(".", "")


def _between(pct: float, read: Callable[[float], Array], shares_pct: Sequence[float] = SHARES_PCT) -> Array:
    """Values exceeded for a share of the year between two maps: straight in the logarithm of the share."""
    shares = np.array(shares_pct)
    if not shares[0] <= pct <= shares[-1]:
        raise RasterMissing(
            what="no digital map of the ITU-R reaches this share of the year",
            where=f"{pct:g} %",
            mend=f"ask for {shares[0]:g} to {shares[-1]:g} %",
        )
    above = int(np.searchsorted(shares, pct))
    if shares[above] == pct:
        return read(float(pct))
    low, high = float(shares[above - 1]), float(shares[above])
    part = (log(pct) - log(low)) / (log(high) - log(low))
    return (1.0 - part) * read(low) + part * read(high)


@dataclass(frozen=True, slots=True)
class ItuMaps:
    """Digital maps in a folder; places as arrays of one shape [degrees], results of that shape.

    folder : laid out as the data of the itur package
    Every call raises RasterMissing or RasterUnreadable where a file is not as it should be.
    """

    folder: Path
    source: str = "digital maps of the ITU-R"

    def _flat(self, name: str, grid: Grid, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Array:
        values = _values(self.folder / name, grid)
        row, column = grid.place(np.asarray(latitude_deg, np.float64), np.asarray(longitude_deg, np.float64))
        parts = [weight * values[r, c] for r, c, weight in _corners(grid, row, column)]
        return np.asarray(sum(parts[1:], parts[0]))

    def rain_rate_mm_h(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Array:
        """Rain rate exceeded for 0.01 % of the average year [mm/h], ITU-R P.837-7."""
        return self._flat("837/v7_r001.npz", RAIN_RATE, latitude_deg, longitude_deg)

    def monthly(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> tuple[Array, Array]:
        """Mean rainfall [mm] (P.837-7) and temperature [K] (P.1510-1) of each month, twelve along a last axis."""
        rain, kelvin = [], []
        for month in range(1, 13):
            rain.append(self._flat(f"837/v7_mt_month{month:02d}.npz", MONTHLY_RAIN, latitude_deg, longitude_deg))
            kelvin.append(self._flat(f"1510/v1_t_month{month:02d}.npz", SURFACE, latitude_deg, longitude_deg))
        return np.stack(rain, axis=-1), np.stack(kelvin, axis=-1)

    def zero_isotherm_km(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Array:
        """Mean height of the 0 degree isotherm above the sea [km], ITU-R P.839-4."""
        return self._flat("839/v4_esa0height.npz", ISOTHERM, latitude_deg, longitude_deg)

    def temperature_k(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Array:
        """Annual mean surface temperature [K], ITU-R P.1510-1."""
        return self._flat("1510/v1_t_annual.npz", SURFACE, latitude_deg, longitude_deg)

    def wet_refractivity(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Array:
        """Median wet term of the surface refractivity [N units], ITU-R P.453-14."""
        return self._flat("453/v13_nwet_annual_50.npz", SURFACE, latitude_deg, longitude_deg)

    def _vapour(
        self, kind: str, latitude_deg: ArrayLike, longitude_deg: ArrayLike, height_km: ArrayLike, pct: float
    ) -> Array:
        """ITU-R P.836-6: the four grid points' values carried to the height first, then weighted."""
        latitude, longitude, height = (np.asarray(v, np.float64) for v in (latitude_deg, longitude_deg, height_km))
        ground = _values(self.folder / "836/v6_topo_0dot5.npz", VAPOUR_GROUND)
        corners = _corners(VAPOUR, *VAPOUR.place(latitude, longitude))

        def read(share: float) -> Array:
            values = _values(self.folder / f"836/v6_{kind}_{_name(share)}.npz", VAPOUR)
            scale_km = _values(self.folder / f"836/v6_vsch_{_name(share)}.npz", VAPOUR)
            total = np.zeros(np.broadcast_shapes(latitude.shape, height.shape))
            for r, c, weight in corners:
                there = VAPOUR.point(r, c)
                ground_km = _cubic(ground, VAPOUR_GROUND, *VAPOUR_GROUND.place(*there))
                total += weight * values[r, c] * np.exp(-(height - ground_km) / scale_km[r, c])
            return total

        return _between(pct, read)

    def vapour_g_m3(
        self, latitude_deg: ArrayLike, longitude_deg: ArrayLike, height_km: ArrayLike, pct: float = 1.0
    ) -> Array:
        """Surface water vapour exceeded for a share of the year [g/m3], ITU-R P.836-6; height above the sea [km]."""
        return self._vapour("rho", latitude_deg, longitude_deg, height_km, pct)

    def vapour_kg_m2(
        self, latitude_deg: ArrayLike, longitude_deg: ArrayLike, height_km: ArrayLike, pct: float = 1.0
    ) -> Array:
        """Column of water vapour exceeded for a share of the year [kg/m2], ITU-R P.836-6; height above the sea [km]."""
        return self._vapour("v", latitude_deg, longitude_deg, height_km, pct)

    @property
    def cloud_edition(self) -> int:
        """Of ITU-R P.840: 9 where its maps are there, else 8."""
        return 9 if (self.folder / "840" / "v9_l_1.npz").is_file() else 8

    def liquid_kg_m2(
        self, latitude_deg: ArrayLike, longitude_deg: ArrayLike, pct: float = 1.0, edition: int | None = None
    ) -> Array:
        """Column of cloud liquid water exceeded for a share of the year [kg/m2], ITU-R P.840-9, reduced in P.840-8."""
        newer = (edition or self.cloud_edition) == 9
        prefix, grid = ("v9_l", CLOUD) if newer else ("v7_lred", VAPOUR)

        def read(share: float) -> Array:
            return self._flat(f"840/{prefix}_{_name(share)}.npz", grid, latitude_deg, longitude_deg)

        return _between(pct, read, RARE_SHARES_PCT if newer else SHARES_PCT)

    def liquid_lognormal(
        self, latitude_deg: ArrayLike, longitude_deg: ArrayLike, edition: int | None = None
    ) -> tuple[Array, Array, Array]:
        """Mean and deviation of the column's natural logarithm, and share of the year with liquid water [%], P.840."""
        names, grid = ("v9_ml", "v9_sl", "v9_pl"), CLOUD
        if (edition or self.cloud_edition) == 8:
            names, grid = ("v7_m", "v7_sigma", "v7_pclw"), VAPOUR
        mean, deviation, cloudy = (self._flat(f"840/{n}.npz", grid, latitude_deg, longitude_deg) for n in names)
        return mean, deviation, cloudy

    def climate(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike, height_km: ArrayLike) -> dict[str, Any]:
        """All that attenuation on slant paths asks for, by the names it asks with; columns exceeded for 1 %."""
        place = latitude_deg, longitude_deg
        _, deviation, cloudy_pct = self.liquid_lognormal(*place)
        return {
            "rain_rate_mm_h": self.rain_rate_mm_h(*place),
            "zero_isotherm_km": self.zero_isotherm_km(*place),
            "temperature_k": self.temperature_k(*place),
            "vapour_g_m3": self.vapour_g_m3(*place, height_km),
            "vapour_kg_m2": self.vapour_kg_m2(*place, height_km),
            "liquid_kg_m2": self.liquid_kg_m2(*place),
            "wet_refractivity": self.wet_refractivity(*place),
            "liquid_deviation": deviation,
            "cloudy_pct": cloudy_pct,
            "cloud_edition": self.cloud_edition,
            "source": f"{self.source}, clouds of P.840-{self.cloud_edition}",
        }


EDITIONS = "ITU-R P.837-7, P.839-4, P.1510-1, P.836-6, P.453-14"


def find_itu_maps(folder: Path | None = None) -> ItuMaps | None:
    """The maps in a folder, else those of the installed itur package, else None.

    folder : laid out as the data of the itur package: 837/v7_r001.npz and so on
    Raises RasterMissing where the folder holds no such maps.
    """
    if folder is not None:
        if not (folder / "837" / "v7_r001.npz").is_file():
            raise RasterMissing(
                what="this folder holds no digital maps of the ITU-R",
                where=str(folder / "837" / "v7_r001.npz"),
                mend='name the folder "data" of the itur package, or leave the entry away',
            )
        return ItuMaps(folder, f"digital maps of {EDITIONS}, from {folder.name}")
    package = find_spec("itur")
    if package is None or package.origin is None:
        return None
    return ItuMaps(Path(package.origin).parent / "data", f"digital maps of {EDITIONS}, from the itur package")
