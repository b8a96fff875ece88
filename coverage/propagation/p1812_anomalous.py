"""Loss by ducting and layer reflection, ITU-R P.1812-7 section 4.5."""

from __future__ import annotations

from math import exp, log10, sqrt, tanh

from numba import njit

from phusong.coverage.propagation.p1812_climate import inland_share
from phusong.coverage.propagation.p1812_path import Path


@njit(cache=True, nogil=True, error_model="numpy")
def _site_shielding_db(elevation_mrad: float, horizon_km: float, frequency_ghz: float, f13: float) -> float:
    # (48), (48a)
    excess = elevation_mrad - 0.1 * horizon_km
    if excess <= 0.0:
        return 0.0
    return 20.0 * log10(1.0 + 0.361 * excess * sqrt(frequency_ghz * horizon_km)) + 0.264 * excess * f13


@njit(cache=True, nogil=True, error_model="numpy")
def _sea_coupling_db(coast_km: float, horizon_km: float, antenna_m: float, sea_fraction: float) -> float:
    # (49), (49a)
    if coast_km > 5.0 or coast_km > horizon_km or sea_fraction < 0.75:
        return 0.0
    return -3.0 * exp(-0.25 * coast_km * coast_km) * (1.0 + tanh(0.07 * (50.0 - antenna_m)))


@njit(cache=True, nogil=True, error_model="numpy")
def fixed_loss_db(
    path: Path,
    frequency_ghz: float,
    radius_km: float,
    sea_fraction: float,
    tx_coast_km: float,
    rx_coast_km: float,
) -> float:
    """Ducting loss without its part A(p) [dB]: coupling (47) and angular loss (first term of 50).

    radius_km                : median effective Earth radius [km]
    sea_fraction             : share of the path over sea
    tx_coast_km, rx_coast_km : land between each antenna and the coast along the path [km]
    Source: P.1812-7, equations (47) to (52a).
    """
    f13: float = frequency_ghz ** (1.0 / 3.0)
    coupling_db = 102.45 + 20.0 * log10(frequency_ghz * (path.tx_horizon_km + path.rx_horizon_km))  # (47)
    if frequency_ghz < 0.5:
        coupling_db += 45.375 - 137.0 * frequency_ghz + 92.5 * frequency_ghz * frequency_ghz  # (47a)
    coupling_db += _site_shielding_db(path.tx_horizon_mrad, path.tx_horizon_km, frequency_ghz, f13)
    coupling_db += _site_shielding_db(path.rx_horizon_mrad, path.rx_horizon_km, frequency_ghz, f13)
    coupling_db += _sea_coupling_db(tx_coast_km, path.tx_horizon_km, path.tx_m, sea_fraction)
    coupling_db += _sea_coupling_db(rx_coast_km, path.rx_horizon_km, path.rx_m, sea_fraction)
    # (52), (52a)
    angle_mrad = 1000.0 * path.distance_km / radius_km
    angle_mrad += min(path.tx_horizon_mrad, 0.1 * path.tx_horizon_km)
    angle_mrad += min(path.rx_horizon_mrad, 0.1 * path.rx_horizon_km)
    return coupling_db + 5e-5 * radius_km * f13 * angle_mrad  # (51), (50)


@njit(cache=True, nogil=True, error_model="numpy")
def time_loss_db(path: Path, radius_km: float, time_pct: float, incidence_pct: float, inland_km: float) -> float:
    """The part A(p) of the ducting loss that depends on time [dB]; never negative at p = 50%.

    radius_km     : median effective Earth radius [km]
    time_pct      : p [%]
    incidence_pct : beta_0 [%]
    inland_km     : longest stretch of inland on the path [km]
    Source: P.1812-7, equations (53) to (56a).
    """
    d = path.distance_km
    alpha = max(-0.6 - 3.5e-9 * d**3.1 * inland_share(inland_km), -3.4)  # (55a)
    roots = sqrt(path.duct_tx_m) + sqrt(path.duct_rx_m)
    mu2 = min((500.0 / radius_km * d * d / (roots * roots)) ** alpha, 1.0)  # (55)
    mu3 = 1.0
    if path.roughness_m > 10.0:  # (56), (56a)
        between_km = min(d - path.tx_horizon_km - path.rx_horizon_km, 40.0)
        mu3 = exp(-4.6e-5 * (path.roughness_m - 10.0) * (43.0 + 6.0 * between_km))
    beta = incidence_pct * mu2 * mu3  # (54)
    log_beta = log10(beta)
    gamma = 1.076 / (2.0058 - log_beta) ** 1.012
    gamma *= exp(-(9.51 - 4.8 * log_beta + 0.198 * log_beta * log_beta) * 1e-6 * d**1.13)  # (53a)
    ratio = time_pct / beta
    loss_db: float = -12.0 + (1.2 + 3.7e-3 * d) * log10(ratio) + 12.0 * ratio**gamma  # (53)
    return loss_db
