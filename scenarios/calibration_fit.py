"""Statistics of a calibration: what is held out, the robust offset, how its errors split, what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from math import hypot, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

HELD_OUT_SHARE = 0.3  # of the blocks (assumption)
GUARD_M = 200.0  # twice the distance over which shadowing decorrelates (3GPP TR 38.901 Table 7.5-6: 37 to 120 m)
HUBER = 1.345  # robust standard deviations from which on an error pulls no harder: 95% efficient on normal errors
FAR_FROM_BLOCK = 3.5  # robust standard deviations from its block's median: an error of the measurement, not the model
LEAST_IN_BLOCK = 5  # places that tell which of them is far off
LEAST_BLOCKS_FOR_SIGMA = 8  # blocks of two places or more; fewer say nothing of how blocks differ
LEAST_MODEL_SIGMA_DB = 2.0  # assumption: a phone is not surer of its own level than this
LEAST_IN_CLASS = 10
MAD = 1.4826  # median absolute deviation to standard deviation, of normal errors
ROUNDS = 20

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Errors:
    """Measured less modelled [dB] over some places, and the share on the right side of the service level."""

    places: int
    mean_db: float
    standard_deviation_db: float
    rmse_db: float
    hit_rate: float


@dataclass(frozen=True, slots=True)
class Offset:
    """What was fitted, all in dB.

    offset, standard_error : measured less modelled, and how far it may be off
    model_sigma, location_sigma : between blocks (the offset's own error in it), and within; None: too few to tell
    far_off : (N,) places set aside as errors of the measurement
    """

    offset_db: float
    standard_error_db: float
    model_sigma_db: float | None
    location_sigma_db: float | None
    far_off: NDArray[np.bool_]


def errors_of(measured_dbm: Values, modelled_dbm: Values, threshold_dbm: Values) -> Errors:
    """Errors of a prediction at N > 0 places."""
    error = measured_dbm - modelled_dbm
    right = (measured_dbm >= threshold_dbm) == (modelled_dbm >= threshold_dbm)
    return Errors(
        len(error), float(error.mean()), float(error.std()), float(sqrt(np.mean(error**2))), float(right.mean())
    )


def held_out_blocks(blocks: Sequence[str], seed: int) -> set[str]:
    """The blocks with the lowest hashes of seed and name: HELD_OUT_SHARE of them, at least one."""
    ranked = sorted(set(blocks), key=lambda block: (sha256(f"{seed}:{block}".encode()).digest(), block))
    return set(ranked[: max(1, round(HELD_OUT_SHARE * len(ranked)))])


def near_held_out(position_m: Values, held_out: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) places of the fit within GUARD_M of a held-out one; position_m (N, k)."""
    if not held_out.any() or held_out.all():
        return np.zeros(len(held_out), dtype=bool)
    distance, _ = cKDTree(position_m[held_out]).query(position_m, distance_upper_bound=GUARD_M)
    return np.asarray(np.isfinite(distance) & ~held_out)


def fit_offset(residual_db: Values, block: NDArray[np.int64], within_place_db: float) -> Offset:
    """Robust common offset of measured less modelled levels (N,), places of one block sharing an error.

    block           : (N,) number of each place's block, 0 .. B - 1
    within_place_db : spread of the samples of one place, added to what varies within blocks
    Places far from their block's median are set aside; then a Huber M-estimate whose weights follow the two
    components of variance, so that a block driven through slowly does not outvote the others.
    """
    far_off = _far_from_block(residual_db, block)
    residual, number = residual_db[~far_off], _renumbered(block[~far_off])
    weight = np.ones(len(residual))
    between = within = 0.0
    for _ in range(3):  # the components change the weights, and these the offset, by ever less
        offset = float(huber_fit(np.ones((len(residual), 1)), residual, weight)[0])
        between, within = variance_components(residual - offset, number)
        weight = np.asarray(1.0 / (within**2 + np.bincount(number)[number] * between**2 + 1e-9), np.float64)
    error = float(1.0 / sqrt(weight.sum()))
    told = int((np.bincount(number) >= 2).sum()) >= LEAST_BLOCKS_FOR_SIGMA
    return Offset(
        offset,
        error,
        max(hypot(between, error), LEAST_MODEL_SIGMA_DB) if told else None,
        hypot(within, within_place_db) if told else None,
        far_off,
    )


def variance_components(residual_db: Values, block: NDArray[np.int64]) -> tuple[float, float]:
    """Standard deviations between blocks and within them [dB]; the first 0 where blocks differ by chance only.

    Source: one-way random effects, unbalanced (Searle, Casella, McCulloch, Variance Components, 1992, chapter 3).
    """
    count = np.bincount(block).astype(np.float64)
    total, blocks = float(count.sum()), len(count)
    mean = np.bincount(block, residual_db) / count
    if total <= blocks or blocks < 2:
        return 0.0, float(residual_db.std())
    within = float(np.sum((residual_db - mean[block]) ** 2)) / (total - blocks)
    among = float(np.sum(count * (mean - residual_db.mean()) ** 2)) / (blocks - 1)
    typical = (total - float(np.sum(count**2)) / total) / (blocks - 1)
    return sqrt(max(0.0, (among - within) / typical)), sqrt(within)


def huber_fit(design: Values, value: Values, weight: Values) -> Values:
    """(k,) coefficients of value (N,) on design (N, k) by Huber's M-estimate, reweighted least squares."""
    root = np.sqrt(weight)[:, None]
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = np.median(value)
    for _ in range(ROUNDS):
        left = value - design @ coefficients
        scale = MAD * float(np.median(np.abs(left)))
        pull = np.minimum(1.0, HUBER * scale / np.maximum(np.abs(left), 1e-12)) if scale > 0.0 else np.ones(len(left))
        pull = np.sqrt(pull)[:, None] * root
        new = np.asarray(np.linalg.lstsq(design * pull, value * pull[:, 0], rcond=None)[0], np.float64)
        if np.abs(new - coefficients).max() < 1e-9:
            return new
        coefficients = new
    return coefficients


def fit_slope(residual_db: Values, distance_km: Values) -> tuple[float, float, float]:
    """Offset at the middle distance [dB], slope [dB per decade of distance] and that distance [km]."""
    middle_km = float(np.exp(np.log(distance_km).mean()))
    decades = np.log10(distance_km / middle_km)
    design = np.column_stack([np.ones(len(decades)), decades])
    offset, slope = huber_fit(design, residual_db, np.ones(len(decades)))
    return float(offset), float(slope), middle_km


def fit_classes(residual_db: Values, names: NDArray[np.object_]) -> dict[str, float]:
    """Robust offset of each class with at least LEAST_IN_CLASS places, by name."""
    found = {}
    for name in sorted({n for n in names if isinstance(n, str)}):
        own = residual_db[names == name]
        if len(own) >= LEAST_IN_CLASS:
            found[name] = float(huber_fit(np.ones((len(own), 1)), own, np.ones(len(own)))[0])
    return found


def spread_within_places(deviation_db: Values) -> float:
    """Robust standard deviation of samples around the median of their place [dB]; 0 without samples."""
    return MAD * float(np.median(np.abs(deviation_db))) if len(deviation_db) else 0.0


def as_dict(errors: Errors) -> dict[str, float]:
    return {key: round(value, 4) for key, value in asdict(errors).items()}


def _far_from_block(residual_db: Values, block: NDArray[np.int64]) -> NDArray[np.bool_]:
    count = np.bincount(block)
    order = np.argsort(block, kind="stable")
    middle = np.array([np.median(part) for part in np.split(residual_db[order], np.cumsum(count)[:-1])])
    deviation = np.abs(residual_db - middle[block])
    tells = count[block] >= LEAST_IN_BLOCK
    if not tells.any():
        return np.zeros(len(block), dtype=bool)
    # A median of few places lies closer to them than the truth does: n - 1 of n deviations are free.
    free = sqrt(float(np.mean(count[block[tells]] / (count[block[tells]] - 1.0))))
    return np.asarray(tells & (deviation > FAR_FROM_BLOCK * MAD * free * float(np.median(deviation[tells]))))


def _renumbered(block: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(block, return_inverse=True)[1].reshape(-1).astype(np.int64)
