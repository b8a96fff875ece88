"""Link budget between a ground terminal and a satellite: distance, losses, noise, carrier to noise ratio."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10, pi

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.propagation.free_space import SPEED_OF_LIGHT_M_S
from phusong.coverage.propagation.ranges import require_range
from phusong.coverage.satellite.attenuation.p618_total import COSMIC_K, MEDIUM_K

BOLTZMANN_DB = 10.0 * log10(1.380649e-23)  # [dBW/(K Hz)]
EARTH_RADIUS_KM = 6371.0
ROOM_K = 290.0
# Gain of a phased array falls as the cosine of the scan angle to this power: 1 is the area it shows, 1.2 to 1.5 usual
# (assumption).
SCAN_EXPONENT = 1.3
WIDEST_SCAN_DEG = 85.0


def slant_range_km(altitude_km: ArrayLike, elevation_deg: ArrayLike) -> NDArray[np.float64]:
    """Distance to a satellite [km]; arguments broadcast.

    altitude_km   : above the ground [km], above 0
    elevation_deg : 0 to 90 [degrees]
    Raises ValueOutOfRange.
    Source: 3GPP TR 38.811 section 6.6.2, a sphere of 6,371 km.
    """
    require_range("a satellite", "altitude_km", altitude_km, 0.0, np.inf, "km", open_ends=True)
    require_range("a satellite", "elevation_deg", elevation_deg, 0.0, 90.0, "degrees")
    height, sine = np.asarray(altitude_km, np.float64), np.sin(np.radians(np.asarray(elevation_deg, np.float64)))
    radial = EARTH_RADIUS_KM * sine
    return np.asarray(np.sqrt(radial * radial + height * (height + 2.0 * EARTH_RADIUS_KM)) - radial)


def free_space_loss_db(distance_km: ArrayLike, frequency_ghz: ArrayLike) -> NDArray[np.float64]:
    """Basic transmission loss in free space [dB]; arguments broadcast.

    distance_km, frequency_ghz : above 0 [km, GHz]
    Source: ITU-R P.525-4, equation (3).
    """
    turns = 4e12 * pi * np.asarray(distance_km, np.float64) * np.asarray(frequency_ghz, np.float64) / SPEED_OF_LIGHT_M_S
    return np.asarray(20.0 * np.log10(turns))


def gain_over_noise_db_k(gain_dbi: ArrayLike, noise_figure_db: ArrayLike, antenna_k: ArrayLike) -> NDArray[np.float64]:
    """Receiver's G/T [dB/K]; arguments broadcast.

    gain_dbi        : of the antenna [dBi]
    noise_figure_db : of the receiver, feeder included [dB]
    antenna_k       : noise temperature of the antenna [K]
    Source: 3GPP TR 38.821 section 6.1.3.1.
    """
    figure = np.asarray(noise_figure_db, np.float64)
    system_k = ROOM_K + (np.asarray(antenna_k, np.float64) - ROOM_K) * 10.0 ** (-0.1 * figure)
    return np.asarray(np.asarray(gain_dbi, np.float64) - figure - 10.0 * np.log10(system_k))


def carrier_to_noise_db(
    eirp_dbw: ArrayLike,
    gain_over_noise_db_k: ArrayLike,
    free_space_db: ArrayLike,
    other_losses_db: ArrayLike,
    bandwidth_mhz: ArrayLike,
) -> NDArray[np.float64]:
    """Carrier to noise ratio [dB]; arguments broadcast.

    eirp_dbw             : of the whole carrier towards the receiver [dBW]
    gain_over_noise_db_k : G/T of the receiver [dB/K]
    free_space_db        : [dB]
    other_losses_db      : air, shadowing, scintillation, polarisation, scan and more, added up [dB]
    bandwidth_mhz        : in which the noise is counted, above 0 [MHz]
    Source: 3GPP TR 38.821 section 6.1.3.1.
    """
    require_range("a link budget", "bandwidth_mhz", bandwidth_mhz, 0.0, np.inf, "MHz", open_ends=True)
    power = np.asarray(eirp_dbw, np.float64) - np.asarray(free_space_db) - np.asarray(other_losses_db)
    noise_db = BOLTZMANN_DB + 60.0 + 10.0 * np.log10(np.asarray(bandwidth_mhz, np.float64))
    return np.asarray(power + np.asarray(gain_over_noise_db_k) - noise_db)


def together_db(*ratios_db: ArrayLike) -> NDArray[np.float64]:
    """One ratio [dB] of several noises or interferences of one carrier: the reciprocals add; arguments broadcast.

    Up and down of a transparent satellite, or C/N and C/I.
    """
    parts = [10.0 ** (-0.1 * np.asarray(ratio, np.float64)) for ratio in ratios_db]
    return np.asarray(-10.0 * np.log10(sum(parts[1:], parts[0])))


def noise_rise_db(
    loss_db: ArrayLike, system_noise_k: ArrayLike, clear_loss_db: ArrayLike = 0.0, medium_k: float = MEDIUM_K
) -> NDArray[np.float64]:
    """Rise of a ground receiver's noise where the air loses more than under the clear sky [dB]; arguments broadcast.

    loss_db        : absorption by gas, cloud and rain [dB]
    system_noise_k : of the receiver under the clear sky, as in its G/T [K], 1 or more; infinite for a receiver in
                     orbit, which looks at the warm ground
    clear_loss_db  : the air's loss in that clear sky [dB]
    medium_k       : effective temperature of the air [K]
    Raises ValueOutOfRange.
    Source: ITU-R P.618-13 section 3, difference of two skies.
    """
    require_range("a receiver", "system_noise_k", system_noise_k, 1.0, np.inf, "K")
    through, clear = (10.0 ** (-0.1 * np.asarray(v, np.float64)) for v in (loss_db, clear_loss_db))
    rise = (medium_k - COSMIC_K) * (clear - through) / np.asarray(system_noise_k, np.float64)
    return np.asarray(10.0 * np.log10(1.0 + rise))


def loss_budget_db(
    margin_db: ArrayLike, system_noise_k: ArrayLike, clear_loss_db: ArrayLike = 0.0, medium_k: float = MEDIUM_K
) -> NDArray[np.float64]:
    """Loss through the air at which a margin is used up by the loss itself and the noise it brings [dB].

    margin_db : C/N without any air above the C/N needed [dB]
    Others as of `noise_rise_db`, whose inverse this is: loss + noise_rise_db(loss) = margin.
    Raises ValueOutOfRange.
    """
    require_range("a receiver", "system_noise_k", system_noise_k, 1.0, np.inf, "K")
    share = (medium_k - COSMIC_K) / np.asarray(system_noise_k, np.float64)
    clear = 10.0 ** (-0.1 * np.asarray(clear_loss_db, np.float64))
    lost = (10.0 ** (0.1 * np.asarray(margin_db, np.float64)) + share) / (1.0 + share * clear)
    return np.asarray(10.0 * np.log10(lost))


def off_boresight_deg(
    azimuth_deg: ArrayLike, elevation_deg: ArrayLike, boresight_azimuth_deg: ArrayLike = 0.0, tilt_deg: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Angle between a direction and the middle of a flat antenna's sight [degrees]; arguments broadcast.

    azimuth_deg, elevation_deg : of the satellite
    boresight_azimuth_deg      : towards which the antenna leans
    tilt_deg                   : from the zenith, 0 where it lies flat
    """
    turn = np.radians(np.asarray(azimuth_deg, np.float64) - np.asarray(boresight_azimuth_deg, np.float64))
    up, lean = np.radians(np.asarray(elevation_deg, np.float64)), np.radians(np.asarray(tilt_deg, np.float64))
    cosine = np.sin(up) * np.cos(lean) + np.cos(up) * np.sin(lean) * np.cos(turn)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def scan_loss_db(scan_deg: ArrayLike, exponent: float = SCAN_EXPONENT) -> NDArray[np.float64]:
    """Gain that a flat phased array loses away from its boresight [dB]; infinite beyond 85 degrees.

    scan_deg : from the boresight, 0 to 180 [degrees]
    exponent : of the cosine; 0 for a dish that turns
    Raises ValueOutOfRange.
    """
    require_range("a phased array", "scan_deg", scan_deg, 0.0, 180.0, "degrees")
    require_range("a phased array", "exponent", exponent, 0.0, 5.0, "")
    scan = np.asarray(scan_deg, np.float64)
    seen = np.cos(np.radians(np.minimum(scan, WIDEST_SCAN_DEG)))
    loss_db = -10.0 * exponent * np.log10(seen)
    return np.where((scan > WIDEST_SCAN_DEG) & (exponent > 0.0), np.inf, loss_db)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceLink:
    """One direction between satellites at one height and a terminal whose flat array lies level, or whose dish turns.

    Operators publish neither EIRP nor G/T: values are the scenario's, with a band.
    frequency_ghz        : [GHz]
    bandwidth_mhz        : in which the noise is counted [MHz]
    eirp_dbw             : of the carrier towards the other end, at the array's boresight [dBW]
    gain_over_noise_db_k : G/T of the receiver, at the array's boresight [dB/K]
    system_noise_k       : of a receiver on the ground under the clear sky [K]; infinite for one in orbit
    altitude_km          : of the satellites [km]
    other_losses_db      : polarisation, pointing, implementation [dB]
    scan_exponent        : of the terminal's array, see `scan_loss_db`; 0 for a dish that turns
    """

    frequency_ghz: float
    bandwidth_mhz: float
    eirp_dbw: float
    gain_over_noise_db_k: float
    system_noise_k: float
    altitude_km: float
    other_losses_db: float = 0.0
    scan_exponent: float = SCAN_EXPONENT

    def ratio_db(self, elevation_deg: ArrayLike, air_loss_db: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Carrier to noise ratio at an elevation and a loss through the air, its noise counted [dB]; both broadcast."""
        free_db = free_space_loss_db(slant_range_km(self.altitude_km, elevation_deg), self.frequency_ghz)
        scan_db = scan_loss_db(off_boresight_deg(0.0, elevation_deg), self.scan_exponent)
        rise_db = noise_rise_db(air_loss_db, self.system_noise_k)
        lost_db = np.asarray(air_loss_db, np.float64) + rise_db + scan_db + self.other_losses_db
        return carrier_to_noise_db(self.eirp_dbw, self.gain_over_noise_db_k, free_db, lost_db, self.bandwidth_mhz)

    def budget_db(self, elevation_deg: ArrayLike, needed_db: ArrayLike) -> NDArray[np.float64]:
        """Loss through the air at which just the needed ratio is left [dB]; broadcast. Zero and less: none is left."""
        margin_db = self.ratio_db(elevation_deg) - np.asarray(needed_db, np.float64)
        return loss_budget_db(margin_db, self.system_noise_k)
