"""Formulas of 3GPP TR 38.901, Tables 7.4.1-1 and 7.4.2-1, for one link; unchecked, see `tr38901` for the ranges.

Distances d_2D are horizontal, d_3D from antenna to antenna; logarithms are to base 10, frequencies in GHz.
"""

from __future__ import annotations

from math import exp, log10, pi, sqrt

from numba import njit

RMA, UMA, UMI = 0, 1, 2
LIGHT_M_S = 3.0e8  # the tables' own value, notes 1 and 5 of Table 7.4.1-1
# Note 1: 1 m for UMi, and for UMa with receivers up to 13 m. Above 13 m the UMa value is drawn at random: 1 m with the
# probability 1 / (1 + C(d_2D, h_UT)), else one of 12, 15 .. h_UT - 1.5 m. The likeliest value, 1 m, stands for all.
ENVIRONMENT_HEIGHT_M = 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def distance_3d_m(distance_2d_m: float, bs_height_m: float, ut_height_m: float) -> float:
    """Distance between the antennas over flat ground [m], Figure 7.4.1-1."""
    rise_m = bs_height_m - ut_height_m
    return sqrt(distance_2d_m * distance_2d_m + rise_m * rise_m)


@njit(cache=True, nogil=True, error_model="numpy")
def breakpoint_m(scenario: int, frequency_ghz: float, bs_height_m: float, ut_height_m: float) -> float:
    """Horizontal distance beyond which the line-of-sight loss grows faster [m]. Table 7.4.1-1, notes 1 and 5."""
    if scenario == RMA:
        return 2.0e9 * pi * bs_height_m * ut_height_m * frequency_ghz / LIGHT_M_S
    over_m2 = (bs_height_m - ENVIRONMENT_HEIGHT_M) * (ut_height_m - ENVIRONMENT_HEIGHT_M)
    return 4.0e9 * over_m2 * frequency_ghz / LIGHT_M_S


@njit(cache=True, nogil=True, error_model="numpy")
def _rural_near_db(d_m: float, frequency_ghz: float, building_height_m: float) -> float:
    # PL_1 of RMa.
    rough: float = building_height_m**1.72
    loss_db = 20.0 * log10(40.0 * pi * d_m * frequency_ghz / 3.0)
    loss_db += min(0.03 * rough, 10.0) * log10(d_m) - min(0.044 * rough, 14.77)
    return loss_db + 0.002 * log10(building_height_m) * d_m


@njit(cache=True, nogil=True, error_model="numpy")
def los_loss_db(
    scenario: int,
    distance_2d_m: float,
    frequency_ghz: float,
    bs_height_m: float,
    ut_height_m: float,
    building_height_m: float,
) -> float:
    """Path loss in line of sight [dB], Table 7.4.1-1; 30 ns.

    PL_1 up to the breakpoint, PL_2 beyond it. UMa and UMi are continuous there. RMa is not quite: its PL_2 starts from
    PL_1 at d_3D = d_BP, a little nearer than d_2D = d_BP.
    """
    d_m = distance_3d_m(distance_2d_m, bs_height_m, ut_height_m)
    break_m = breakpoint_m(scenario, frequency_ghz, bs_height_m, ut_height_m)
    if scenario == RMA:
        if distance_2d_m <= break_m:
            return _rural_near_db(d_m, frequency_ghz, building_height_m)
        return _rural_near_db(break_m, frequency_ghz, building_height_m) + 40.0 * log10(d_m / break_m)
    rise_m = bs_height_m - ut_height_m
    loss_db = 20.0 * log10(frequency_ghz) + (28.0 if scenario == UMA else 32.4)
    if distance_2d_m <= break_m:
        return loss_db + (22.0 if scenario == UMA else 21.0) * log10(d_m)
    back_db = (9.0 if scenario == UMA else 9.5) * log10(break_m * break_m + rise_m * rise_m)
    return loss_db + 40.0 * log10(d_m) - back_db


@njit(cache=True, nogil=True, error_model="numpy")
def nlos_loss_db(
    scenario: int,
    distance_2d_m: float,
    frequency_ghz: float,
    bs_height_m: float,
    ut_height_m: float,
    building_height_m: float,
    street_width_m: float,
) -> float:
    """Path loss without line of sight [dB], never less than with it, Table 7.4.1-1; 70 ns."""
    log_d = log10(distance_3d_m(distance_2d_m, bs_height_m, ut_height_m))
    log_f = log10(frequency_ghz)
    if scenario == RMA:
        log_bs = log10(bs_height_m)
        low = building_height_m / bs_height_m
        log_ut = log10(11.75 * ut_height_m)
        hidden_db = 161.04 - 7.1 * log10(street_width_m) + 7.5 * log10(building_height_m)
        hidden_db -= (24.37 - 3.7 * low * low) * log_bs
        hidden_db += (43.42 - 3.1 * log_bs) * (log_d - 3.0) + 20.0 * log_f - (3.2 * log_ut * log_ut - 4.97)
    elif scenario == UMA:
        hidden_db = 13.54 + 39.08 * log_d + 20.0 * log_f - 0.6 * (ut_height_m - 1.5)
    else:
        hidden_db = 35.3 * log_d + 22.4 + 21.3 * log_f - 0.3 * (ut_height_m - 1.5)
    sight_db = los_loss_db(scenario, distance_2d_m, frequency_ghz, bs_height_m, ut_height_m, building_height_m)
    return max(sight_db, hidden_db)


@njit(cache=True, nogil=True, error_model="numpy")
def sight_probability(scenario: int, distance_2d_m: float, ut_height_m: float) -> float:
    """Probability of line of sight to an outdoor receiver, 0 to 1, Table 7.4.2-1; 15 ns."""
    d = distance_2d_m
    if scenario == RMA:
        return 1.0 if d <= 10.0 else exp(-(d - 10.0) / 1000.0)
    if d <= 18.0:
        return 1.0
    near = 18.0 / d
    if scenario == UMI:
        return near + exp(-d / 36.0) * (1.0 - near)
    p = near + exp(-d / 63.0) * (1.0 - near)
    if ut_height_m > 13.0:
        tall: float = ((ut_height_m - 13.0) / 10.0) ** 1.5
        p *= 1.0 + tall * 1.25 * (d / 100.0) ** 3 * exp(-d / 150.0)
    return p


@njit(cache=True, nogil=True, error_model="numpy")
def sigma_db(
    scenario: int, los: bool, distance_2d_m: float, frequency_ghz: float, bs_height_m: float, ut_height_m: float
) -> float:
    """Standard deviation of shadow fading [dB], Table 7.4.1-1."""
    if scenario == RMA:
        if not los:
            return 8.0
        return 4.0 if distance_2d_m <= breakpoint_m(scenario, frequency_ghz, bs_height_m, ut_height_m) else 6.0
    if los:
        return 4.0
    return 6.0 if scenario == UMA else 7.82
