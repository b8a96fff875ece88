"""Reference attenuation of the Irregular Terrain Model, version 1.2.2: line of sight, diffraction, troposcatter.

Each mechanism is a curve over distance; the path's own distance picks the one that governs. Sources, by the names used
beside the code: Algorithm = G. A. Hufford, The ITS Irregular Terrain Model, version 1.2.2, the Algorithm; ERL = Longley
and Rice, ESSA Technical Report ERL 79-ITS 67 (1968); TN101 = Rice, Longley, Norton, Barsis, NBS Technical Note 101;
Vogler = L. E. Vogler, Radio Science 68D (1964), 819.
"""

from __future__ import annotations

from math import cos, exp, log, log10, pi, sin, sqrt
from typing import NamedTuple

from numba import njit

from phusong.coverage.propagation.itm_terrain import Terminals, roughness_m

ACTUAL_EARTH_RADIUS_M = 6370e3
MHZ_PER_WAVENUMBER = 47.7  # f [MHz] = 47.7 k [1/m]
UNDEFINED_DB = 1001.0
# Curves of the troposcatter frequency gain, one a unit of the scattering efficiency: (a, b). Algorithm, (6.13).
GAIN_CURVES = ((25.0, 24.0), (80.0, 45.0), (177.0, 68.0), (395.0, 80.0), (705.0, 105.0))


class Ground(NamedTuple):
    """Radio properties of the path.

    frequency_mhz        : [MHz]
    radius_m             : effective Earth radius [m]
    surface_refractivity : at the path's height [N-units]
    impedance            : surface transfer impedance Z_g [-], complex
    """

    frequency_mhz: float
    radius_m: float
    surface_refractivity: float
    impedance: complex


class Diffraction(NamedTuple):
    """The diffraction attenuation as a line over distance: intercept_db + slope_db_m * distance."""

    intercept_db: float
    slope_db_m: float


@njit(cache=True, nogil=True, error_model="numpy")
def smooth_horizons_m(ends: Terminals, radius_m: float) -> tuple[float, float]:
    """Horizon distances of the effective heights over a smooth Earth [m]."""
    return sqrt(2.0 * ends.tx_effective_m * radius_m), sqrt(2.0 * ends.rx_effective_m * radius_m)


@njit(cache=True, nogil=True, error_model="numpy")
def sight_angle_rad(ends: Terminals, radius_m: float) -> float:
    """Angle at the Earth's centre of the region in line of sight [rad]."""
    reach = (ends.tx_horizon_m + ends.rx_horizon_m) / radius_m
    return -max(ends.tx_elevation_rad + ends.rx_elevation_rad, -reach)


@njit(cache=True, nogil=True, error_model="numpy")
def _surface_spread_m(roughness: float) -> float:
    # sigma_h: spread of the terrain within the first Fresnel zone. ERL, (3.6a).
    return 0.78 * roughness * exp(-0.5 * sqrt(sqrt(roughness)))


@njit(cache=True, nogil=True, error_model="numpy")
def _fresnel_db(v2: float) -> float:
    # Attenuation over an ideal knife edge of parameter v, given v^2. TN101, (III.24b), (III.24c); ERL, (3.27).
    if v2 < 5.76:
        return 6.02 + 9.11 * sqrt(v2) - 1.27 * v2
    return 12.953 + 10.0 * log10(v2)


@njit(cache=True, nogil=True, error_model="numpy")
def _height_function_db(x_km: float, k: float) -> float:
    # F(x, K) of the three-radii method. Vogler; Algorithm, section 6.
    if x_km < 200.0:
        w = -log(k)
        if k < 1e-5 or x_km * w * w * w > 5495.0:
            return 17.372 * log(x_km) - 117.0 if x_km > 1.0 else -117.0
        return 2.5e-5 * x_km * x_km / k - 8.686 * w - 15.0
    far_db = 0.05751 * x_km - 4.343 * log(x_km)
    if x_km >= 2000.0:
        return far_db
    w = 0.0134 * x_km * exp(-0.005 * x_km)
    return (1.0 - w) * far_db + w * (17.372 * log(x_km) - 117.0)


@njit(cache=True, nogil=True, error_model="numpy")
def diffraction_line(ends: Terminals, ground: Ground) -> Diffraction:
    """Diffraction attenuation, fitted as a line through two distances far beyond the horizon.

    A weighted mean of two knife edges and a smooth Earth of three radii (Vogler).
    Source: Algorithm, (4.12), (4.20); ERL, (3.23), (3.38c); Vogler, (2), (3), (6a), (13).
    """
    f = ground.frequency_mhz
    f13: float = f ** (1.0 / 3.0)
    radius_m = ground.radius_m
    wavenumber = f / MHZ_PER_WAVENUMBER
    smooth_tx_m, smooth_rx_m = smooth_horizons_m(ends, radius_m)
    smooth_m = smooth_tx_m + smooth_rx_m
    horizons_m = ends.tx_horizon_m + ends.rx_horizon_m
    sight_rad = sight_angle_rad(ends, radius_m)
    unit_m: float = (radius_m * radius_m) ** (1.0 / 3.0) / f13
    near_m = max(smooth_m, horizons_m + 5.0 * unit_m)
    # The parts that do not depend on distance: terminals' height gains, clutter, heights in the weight.
    k_radius = 0.017778 / (f13 * abs(ground.impedance))
    tx_radius_m = 0.5 * ends.tx_horizon_m * ends.tx_horizon_m / ends.tx_effective_m
    rx_radius_m = 0.5 * ends.rx_horizon_m * ends.rx_horizon_m / ends.rx_effective_m
    c_tx: float = (4.0 / 3.0 * ACTUAL_EARTH_RADIUS_M / tx_radius_m) ** (1.0 / 3.0)
    c_rx: float = (4.0 / 3.0 * ACTUAL_EARTH_RADIUS_M / rx_radius_m) ** (1.0 / 3.0)
    x_tx_km = (1.607 - k_radius * c_tx) * c_tx * c_tx * f13 * 1e-3 * ends.tx_horizon_m
    x_rx_km = (1.607 - k_radius * c_rx) * c_rx * c_rx * f13 * 1e-3 * ends.rx_horizon_m
    gains_db = _height_function_db(x_tx_km, k_radius * c_tx) + _height_function_db(x_rx_km, k_radius * c_rx)
    heights = ends.tx_height_m * ends.rx_height_m
    spread_m = _surface_spread_m(roughness_m(smooth_m, ends.irregularity_m))
    clutter_db = min(15.0, 5.0 * log10(1.0 + 1e-5 * heights * f * spread_m))
    # Low antennas on a known path: C = 10. ERL, page 3-8.
    height_term = sqrt(1.0 + (ends.tx_effective_m * ends.rx_effective_m - heights) / (heights + 10.0))
    near_db = 0.0
    far_db = 0.0
    for k in range(2):
        d = near_m + 10.0 * unit_m * k
        beyond_m = d - horizons_m
        beyond_rad = d / radius_m - sight_rad
        v2 = 0.0795775 * wavenumber * beyond_rad * beyond_rad * beyond_m  # TN101, (I.7); 1 / (4 pi)
        edges_db = _fresnel_db(v2 * ends.tx_horizon_m / (beyond_m + ends.tx_horizon_m))
        edges_db += _fresnel_db(v2 * ends.rx_horizon_m / (beyond_m + ends.rx_horizon_m))
        c: float = (4.0 / 3.0 * ACTUAL_EARTH_RADIUS_M * beyond_rad / beyond_m) ** (1.0 / 3.0)
        x_km = (1.607 - k_radius * c) * c * c * f13 * 1e-3 * beyond_m + x_tx_km + x_rx_km
        round_db = 0.05751 * x_km - 10.0 * log10(x_km) - gains_db - 20.0
        q = (height_term + (horizons_m - sight_rad * radius_m) / d) * min(
            roughness_m(d, ends.irregularity_m) * wavenumber, 6283.2
        )
        weight = 25.1 / (25.1 + sqrt(q))
        near_db = far_db
        far_db = weight * round_db + (1.0 - weight) * edges_db + clutter_db
    slope = (far_db - near_db) / (10.0 * unit_m)
    return Diffraction(near_db - slope * near_m, slope)


@njit(cache=True, nogil=True, error_model="numpy")
def _two_ray_db(d: float, ends: Terminals, ground: Ground, line: Diffraction, smooth_m: float) -> float:
    # Attenuation in line of sight at distance d [m]. Algorithm, (4.46) to (4.50).
    f = ground.frequency_mhz
    wavenumber = f / MHZ_PER_WAVENUMBER
    sum_m = ends.tx_effective_m + ends.rx_effective_m
    sin_psi = sum_m / sqrt(d * d + sum_m * sum_m)
    spread_m = _surface_spread_m(roughness_m(d, ends.irregularity_m))
    reflection = (sin_psi - ground.impedance) / (sin_psi + ground.impedance)
    reflection *= exp(-min(10.0, wavenumber * spread_m * sin_psi))
    q = reflection.real * reflection.real + reflection.imag * reflection.imag
    if q < 0.25 or q < sin_psi:
        reflection *= sqrt(sin_psi / q)
    phase = 2.0 * wavenumber * ends.tx_effective_m * ends.rx_effective_m / d
    if phase > 0.5 * pi:
        phase = pi - 0.25 * pi * pi / phase
    across = cos(phase) + reflection.real
    along = reflection.imag - sin(phase)
    rays_db = -10.0 * log10(across * across + along * along)
    weight = 1.0 / (1.0 + f * ends.irregularity_m / max(10e3, smooth_m))
    return weight * rays_db + (1.0 - weight) * (line.slope_db_m * d + line.intercept_db)


@njit(cache=True, nogil=True, error_model="numpy")
def sight_attenuation_db(ends: Terminals, ground: Ground, line: Diffraction, smooth_m: float) -> float:
    """Attenuation within the smooth Earth's line of sight [dB], by a curve through three distances.

    smooth_m : sum of the horizon distances over a smooth Earth [m]
    Source: ERL, (3.16) to (3.21).
    """
    d = ends.distance_m
    horizons_m = ends.tx_horizon_m + ends.rx_horizon_m
    edge_db = smooth_m * line.slope_db_m + line.intercept_db
    d0 = 0.04 * ground.frequency_mhz * ends.tx_effective_m * ends.rx_effective_m  # (3.16a)
    if line.intercept_db >= 0.0:
        d0 = min(d0, 0.5 * horizons_m)
        d1 = d0 + 0.25 * (horizons_m - d0)  # (3.16d)
    else:
        d1 = max(-line.intercept_db / line.slope_db_m, 0.25 * horizons_m)
    a1 = _two_ray_db(d1, ends, ground, line, smooth_m)
    linear = 0.0
    logarithmic = 0.0
    bent = False
    if d0 < d1:
        a0 = _two_ray_db(d0, ends, ground, line, smooth_m)
        span = log(smooth_m / d0)
        above = (smooth_m - d0) * (a1 - a0) - (d1 - d0) * (edge_db - a0)
        logarithmic = max(0.0, above / ((smooth_m - d0) * log(d1 / d0) - (d1 - d0) * span))  # (3.20)
        bent = line.intercept_db > 0.0 or logarithmic > 0.0
        if bent:
            linear = (edge_db - a0 - logarithmic * span) / (smooth_m - d0)  # (3.21)
            if linear < 0.0:
                linear = 0.0
                logarithmic = max(edge_db - a0, 0.0) / span
                if logarithmic == 0.0:
                    linear = line.slope_db_m
    if not bent:
        linear = max(edge_db - a1, 0.0) / (smooth_m - d1)
        logarithmic = 0.0
        if linear == 0.0:
            linear = line.slope_db_m
    return edge_db + linear * (d - smooth_m) + logarithmic * log(d / smooth_m)  # (3.19)


@njit(cache=True, nogil=True, error_model="numpy")
def _gain_curve_db(j: int, r: float) -> float:
    a, b = GAIN_CURVES[j]
    r2 = r * r
    return 10.0 * log10(1.0 + (a / r2 + b) / r2)


@njit(cache=True, nogil=True, error_model="numpy")
def _frequency_gain_db(r: float, efficiency: float) -> float:
    # H_0(r, eta_s), between the curves of whole eta_s.
    eta = min(max(efficiency, 1.0), 5.0)
    j = int(eta)
    share = eta - j
    gain_db = _gain_curve_db(j - 1, r)
    if share != 0.0:
        gain_db += share * (_gain_curve_db(j, r) - gain_db)
    return gain_db


@njit(cache=True, nogil=True, error_model="numpy")
def _scatter_db(d: float, ends: Terminals, ground: Ground, sight_rad: float, before_db: float) -> tuple[float, float]:
    # Troposcatter attenuation at distance d [m] and its frequency gain H_0 [dB]; UNDEFINED_DB where the theory gives
    # none. before_db: H_0 at the farther distance, below 0 where that is this one. Algorithm, (4.63) to (4.67).
    wavenumber = ground.frequency_mhz / MHZ_PER_WAVENUMBER
    gain_db = before_db
    if before_db <= 15.0:
        skew_m = ends.tx_horizon_m - ends.rx_horizon_m
        ratio = ends.rx_effective_m / ends.tx_effective_m
        if skew_m < 0.0:
            skew_m = -skew_m
            ratio = 1.0 / ratio
        angle = ends.tx_elevation_rad + ends.rx_elevation_rad + d / ground.radius_m
        r1 = 2.0 * wavenumber * angle * ends.tx_effective_m  # TN101, (9.4a)
        r2 = 2.0 * wavenumber * angle * ends.rx_effective_m
        if r1 < 0.2 and r2 < 0.2:
            return UNDEFINED_DB, before_db
        s = (d - skew_m) / (d + skew_m)
        q = min(max(0.1, ratio / s), 10.0)
        s = max(0.1, s)
        cross_m = (d - skew_m) * (d + skew_m) * angle * 0.25 / d  # TN101, (9.3b)
        n = ground.surface_refractivity
        fall = min(1.7, cross_m / 8.0e3) ** 6
        # TN101, (9.3a)
        efficiency = cross_m / 1.7556e3 * (1.0 + (0.031 - n * 2.32e-3 + n * n * 5.67e-6) * exp(-fall))
        mean_db = 0.5 * (_frequency_gain_db(r1, efficiency) + _frequency_gain_db(r2, efficiency))
        more_db = min(mean_db, 6.0 * (0.6 - log10(max(efficiency, 1.0))) * log10(s) * log10(q))  # TN101, (9.5)
        gain_db = max(mean_db + more_db, 0.0)
        if efficiency < 1.0:
            root2 = sqrt(2.0)
            spread = (1.0 + root2 / r1) * (1.0 + root2 / r2)
            none_db = 10.0 * log10(spread * spread * (r1 + r2) / (r1 + r2 + 2.0 * root2))
            gain_db = efficiency * gain_db + (1.0 - efficiency) * none_db
        if gain_db > 15.0 and before_db >= 0.0:
            gain_db = before_db
    theta = d / ground.radius_m - sight_rad
    td = theta * d
    if td <= 10e3:  # Algorithm, (6.9)
        spread_db = 133.4 + 0.332e-3 * td - 10.0 * log10(td)
    elif td <= 70e3:
        spread_db = 104.6 + 0.212e-3 * td - 2.5 * log10(td)
    else:
        spread_db = 71.8 + 0.157e-3 * td + 5.0 * log10(td)
    loss_db = spread_db + 10.0 * log10(wavenumber * 47.7 * theta**4)
    return loss_db - 0.1 * (ground.surface_refractivity - 301.0) * exp(-td / 40e3) + gain_db, gain_db  # (4.63)


@njit(cache=True, nogil=True, error_model="numpy")
def _beyond_sight_db(ends: Terminals, ground: Ground, line: Diffraction, smooth_m: float) -> float:
    # Diffraction up to where troposcatter takes over, a line through 200 and 400 km beyond the horizons after it.
    d = ends.distance_m
    horizons_m = ends.tx_horizon_m + ends.rx_horizon_m
    unit_m: float = (ground.radius_m * ground.radius_m / ground.frequency_mhz) ** (1.0 / 3.0)
    least_m = max(smooth_m, horizons_m + 1.088 * unit_m * log(ground.frequency_mhz))
    if d > least_m:  # nearer, troposcatter cannot take over, wherever the two cross
        sight_rad = sight_angle_rad(ends, ground.radius_m)
        far_db, gain_db = _scatter_db(horizons_m + 400e3, ends, ground, sight_rad, -1.0)
        near_db, _ = _scatter_db(horizons_m + 200e3, ends, ground, sight_rad, gain_db)
        if near_db < 1000.0:
            slope = (far_db - near_db) / 200e3
            crossing_m = (near_db - line.intercept_db - slope * (horizons_m + 200e3)) / (line.slope_db_m - slope)
            change_m = max(least_m, crossing_m)
            if d > change_m:
                return slope * d + (line.slope_db_m - slope) * change_m + line.intercept_db
    return line.slope_db_m * d + line.intercept_db


@njit(cache=True, nogil=True, error_model="numpy")
def reference_attenuation_db(ends: Terminals, ground: Ground) -> float:
    """Median attenuation relative to free space, before any variability [dB], never negative; 0.5 us.

    Source: Algorithm, section 4; ERL, section 3.
    """
    line = diffraction_line(ends, ground)
    smooth_tx_m, smooth_rx_m = smooth_horizons_m(ends, ground.radius_m)
    smooth_m = smooth_tx_m + smooth_rx_m
    if ends.distance_m < smooth_m:
        attenuation_db = sight_attenuation_db(ends, ground, line, smooth_m)
    else:
        attenuation_db = _beyond_sight_db(ends, ground, line, smooth_m)
    # Not a number (steep horizons on the shortest paths) counts as none, as in NTIA's program.
    return attenuation_db if attenuation_db > 0.0 else 0.0
