"""How sure a level is, and with what probability a group of cells has service.

Two errors, both normal in dB: the model's, common to all cells of a hamlet, and that from place to place within a
cell, independent between places. A probability of several cells is therefore an integral over the common error, never
a product of the cells' probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, erfc, exp, hypot, inf, pi, sqrt

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.link import fade_margin_db

TAIL = 8.5  # standard deviations; beyond lie 1e-17 of the common error
PANEL = 1.5  # widest panel [standard deviations of what varies in it]: 16 points integrate it to 1e-12
BISECTIONS = 40  # of 2 TAIL standard deviations: to 2e-11
NEGLIGIBLE_DB = 1e-6  # a smaller standard deviation is taken for none
NEARLY_ALL = 1.0 - 1e-9  # a share above it is "all places", which varying places never reach
_NODE, _WEIGHT = np.polynomial.legendre.leggauss(16)


def level_exceeded_dbm(
    median_dbm: ArrayLike, probability: float, model_sigma_db: float, location_sigma_db: float
) -> NDArray[np.float64]:
    """Level that a place of the cell exceeds with a probability [dBm]; P90 is the level exceeded with 90%, below P50.

    median_dbm        : level exceeded with 50% [dBm], any shape; NaN (no signal) stays NaN
    probability       : 0 to 1 exclusive
    model_sigma_db, location_sigma_db : standard deviations [dB], see `coverage.link.fade_margin_db`
    Level = P50 + z(1 - q) sqrt(model^2 + location^2), z the standard normal quantile; of one place, not of a hamlet.
    Raises ValueOutOfRange.
    Source: ITU-R P.1812-7 section 4.9 for the locations, the model's error added in quadrature.
    """
    return np.asarray(median_dbm, np.float64) - fade_margin_db(probability, model_sigma_db, location_sigma_db)


def place_probability(margin_db: ArrayLike, model_sigma_db: float, location_sigma_db: float) -> NDArray[np.float64]:
    """Probability that one place of each cell has service.

    margin_db : median level less the level that gives service [dB], any shape; NaN or -inf where there is no signal
    Raises ValueOutOfRange for a negative sigma. With both sigmas zero it is 1 from a margin of 0, else 0.
    """
    _check_sigmas(model_sigma_db, location_sigma_db)
    margin = np.nan_to_num(np.asarray(margin_db, np.float64), nan=-inf, posinf=inf, neginf=-inf)
    sigma_db = hypot(model_sigma_db, location_sigma_db)
    return np.asarray(ndtr(margin / sigma_db) if sigma_db > 0.0 else (margin >= 0.0).astype(np.float64))


@dataclass(frozen=True, slots=True)
class ServiceProbability:
    """Of each hamlet (H,). centre: that its spots have service; cleared: that its share groups are met, too."""

    centre: NDArray[np.float64]
    cleared: NDArray[np.float64]


def service_probability(
    margin_db: ArrayLike,
    weight: ArrayLike,
    group_indptr: ArrayLike,
    group_need: ArrayLike,
    group_spot: ArrayLike,
    hamlet_indptr: ArrayLike,
    *,
    model_sigma_db: float,
    location_sigma_db: float,
) -> ServiceProbability:
    """Probability that each hamlet has service, integrated over the model's error that its cells share.

    margin_db     : (nnz,) median level of each cell of each group, less the level that gives service [dB]; NaN or -inf
                    where there is no signal. Of several servers the best margin: that the others may stand in for it
                    where it is shaded is left out, so the probability errs low; the common error moves them all alike
    weight        : (nnz,) people of each cell, above 0
    group_indptr  : (G + 1,) entries of each group
    group_need    : (G,) weight that must have service for a share group to be met; not looked at for a spot
    group_spot    : (G,) bool, True for one spot (a hamlet's centre, one cell): served or not. False for a share of many
                    places: given the common error e, the share of a cell's places with service is
                    Phi((margin + e) / location_sigma), and the group is met where the weighted sum reaches the need
    hamlet_indptr : (H + 1,) groups of each hamlet
    Hamlet = integral of P(spots | e) 1[e >= e*] phi(e) de, with e* the least error at which every share group is met.
    Given e, several spots of one hamlet (one an operator, where all must serve) vary independently. Limits: without
    location variability a place is served from a margin of 0 - e on; without model error e is 0; a need of the whole
    weight is never met while places vary. A hamlet without groups has probability 1.
    Accuracy 1e-9; about 5 us a hamlet of ten cells.
    Raises ValueOutOfRange for negative sigmas, a spot of several cells or arrays that do not fit each other.
    """
    _check_sigmas(model_sigma_db, location_sigma_db)
    margin = np.nan_to_num(np.asarray(margin_db, np.float64), nan=-inf, posinf=inf, neginf=-inf)
    entries, groups = np.asarray(group_indptr, np.int64), np.asarray(hamlet_indptr, np.int64)
    need, spot = np.asarray(group_need, np.float64), np.asarray(group_spot, np.bool_)
    weights = np.asarray(weight, np.float64)
    _check_groups(margin, weights, entries, need, spot, groups)
    centre, cleared = np.empty(len(groups) - 1), np.empty(len(groups) - 1)
    model, location = (float(s) if s >= NEGLIGIBLE_DB else 0.0 for s in (model_sigma_db, location_sigma_db))
    _hamlets(margin, weights, entries, need, spot, groups, model, location, _NODE, _WEIGHT, centre, cleared)
    return ServiceProbability(centre, cleared)


def _check_sigmas(model_sigma_db: float, location_sigma_db: float) -> None:
    if not 0.0 <= model_sigma_db < inf or not 0.0 <= location_sigma_db < inf:
        raise ValueOutOfRange(
            what="no probability follows from these standard deviations",
            where=f"model_sigma_db {model_sigma_db}, location_sigma_db {location_sigma_db}",
            mend="give standard deviations of zero or more, in dB",
        )


def _check_groups(
    margin: NDArray[np.float64], weight: NDArray[np.float64], entries: NDArray[np.int64], need: NDArray[np.float64],
    spot: NDArray[np.bool_], groups: NDArray[np.int64],
) -> None:  # fmt: skip
    whole = (
        len(entries) == len(need) + 1 == len(spot) + 1
        and len(margin) == len(weight) == entries[-1]
        and len(groups) >= 1
        and groups[0] == 0
        and groups[-1] == len(need)
        and bool((np.diff(entries) > 0).all())
        and bool((np.diff(groups) >= 0).all())
        and bool((np.diff(entries)[spot] == 1).all())
        and bool((weight > 0.0).all())
    )
    if not whole:
        raise ValueOutOfRange(
            what="the groups of the hamlets do not fit their cells",
            where=f"{len(margin)} margins, {len(weight)} weights, {len(need)} groups, {len(groups) - 1} hamlets",
            mend="number groups and cells without gaps, one cell a spot, every weight above zero",
        )


@njit(cache=True, nogil=True)
def _normal_share(x: float) -> float:
    """Standard normal distribution function, to 1e-16. 15 ns."""
    return 0.5 * erfc(-x / sqrt(2.0))


@njit(cache=True, nogil=True)
def _place_share(margin_db: float, location_sigma_db: float) -> float:
    """Share of places that have service at a margin, given the common error. 15 ns."""
    if location_sigma_db == 0.0:
        return 1.0 if margin_db >= 0.0 else 0.0
    return _normal_share(margin_db / location_sigma_db)


@njit(cache=True, nogil=True)
def _met(
    margin_db: NDArray[np.float64], weight: NDArray[np.float64], first: int, end: int, need: float, error_db: float,
    location_sigma_db: float,
) -> bool:  # fmt: skip
    """Whether a share group is met at a common error. 15 ns a cell."""
    served = 0.0
    for entry in range(first, end):
        served += weight[entry] * _place_share(margin_db[entry] + error_db, location_sigma_db)
    return served >= need


@njit(cache=True, nogil=True)
def _least_error_db(
    margin_db: NDArray[np.float64], weight: NDArray[np.float64], first: int, end: int, need: float,
    widest_db: float, location_sigma_db: float,
) -> float:  # fmt: skip
    """Least common error at which a share group is met; -inf where -widest_db is enough, inf where widest_db is not.

    The share grows with the error, so bisection finds the least; without model error widest_db is 0. 15 ns a cell and
    step, BISECTIONS steps.
    """
    heard = 0.0
    for entry in range(first, end):
        if margin_db[entry] > -inf:
            heard += weight[entry]
    if need > heard or (location_sigma_db > 0.0 and need > NEARLY_ALL * heard):
        return inf
    if _met(margin_db, weight, first, end, need, -widest_db, location_sigma_db):
        return -inf
    if not _met(margin_db, weight, first, end, need, widest_db, location_sigma_db):
        return inf
    low, high = -widest_db, widest_db
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if _met(margin_db, weight, first, end, need, middle, location_sigma_db):
            high = middle
        else:
            low = middle
    return high


@njit(cache=True, nogil=True)
def _spots_above(
    spot_db: NDArray[np.float64], from_x: float, model_sigma_db: float, location_sigma_db: float,
    node: NDArray[np.float64], node_weight: NDArray[np.float64],
) -> float:  # fmt: skip
    """Integral of P(all spots | e) over standard normal errors x = e / model_sigma from from_x on.

    Gauss-Legendre panels of 16 points, narrow where a spot passes from unserved to served. 4 us for one spot.
    """
    if location_sigma_db == 0.0 or spot_db.size == 0:
        for k in range(spot_db.size):
            from_x = max(from_x, -spot_db[k] / model_sigma_db)
        return _normal_share(-from_x)
    steepness = location_sigma_db / model_sigma_db
    edge = np.empty(3 * spot_db.size + 2)
    edge[0], edge[1] = max(from_x, -TAIL), TAIL
    if edge[0] >= TAIL:
        return 0.0
    for k in range(spot_db.size):
        if spot_db[k] == -inf:
            return 0.0
        passing = -spot_db[k] / model_sigma_db
        for side in range(3):
            x = passing + (side - 1) * TAIL * steepness
            edge[2 + 3 * k + side] = min(max(x, edge[0]), TAIL)
    edge.sort()
    total = 0.0
    for piece in range(edge.size - 1):
        width = edge[piece + 1] - edge[piece]
        if width <= 0.0:
            continue
        middle = 0.5 * (edge[piece] + edge[piece + 1])
        widest = PANEL
        for k in range(spot_db.size):
            if abs(middle + spot_db[k] / model_sigma_db) < TAIL * steepness:
                widest = min(widest, PANEL * steepness)
        panels = ceil(width / widest)
        half = 0.5 * width / panels
        for panel in range(panels):
            centre = edge[piece] + (2 * panel + 1) * half
            for n in range(node.size):
                x = centre + half * node[n]
                value = exp(-0.5 * x * x) * node_weight[n] * half
                for k in range(spot_db.size):
                    value *= _normal_share((spot_db[k] + model_sigma_db * x) / location_sigma_db)
                total += value
    return min(total / sqrt(2.0 * pi), 1.0)


@njit(cache=True, nogil=True)
def _hamlets(
    margin_db: NDArray[np.float64], weight: NDArray[np.float64], entries: NDArray[np.int64], need: NDArray[np.float64],
    spot: NDArray[np.bool_], groups: NDArray[np.int64], model_sigma_db: float, location_sigma_db: float,
    node: NDArray[np.float64], node_weight: NDArray[np.float64], centre: NDArray[np.float64],
    cleared: NDArray[np.float64],
) -> None:  # fmt: skip
    """Writes centre and cleared (H,). 5 us a hamlet of one spot, 1 us a cell of its share groups."""
    most = 0
    for hamlet in range(groups.size - 1):
        most = max(most, groups[hamlet + 1] - groups[hamlet])
    spot_db = np.empty(most)
    widest_db = TAIL * model_sigma_db
    for hamlet in range(groups.size - 1):
        spots = 0
        least_db = -inf
        for group in range(groups[hamlet], groups[hamlet + 1]):
            first, end = entries[group], entries[group + 1]
            if spot[group]:
                spot_db[spots] = margin_db[first]
                spots += 1
            else:
                error_db = _least_error_db(margin_db, weight, first, end, need[group], widest_db, location_sigma_db)
                least_db = max(least_db, error_db)
        if model_sigma_db == 0.0:
            share = 1.0
            for k in range(spots):
                share *= _place_share(spot_db[k], location_sigma_db)
            centre[hamlet] = share
            cleared[hamlet] = share if least_db < inf else 0.0
            continue
        centre[hamlet] = _spots_above(spot_db[:spots], -inf, model_sigma_db, location_sigma_db, node, node_weight)
        cleared[hamlet] = centre[hamlet]
        if least_db > -inf:
            cleared[hamlet] = _spots_above(
                spot_db[:spots], least_db / model_sigma_db, model_sigma_db, location_sigma_db, node, node_weight
            )  # fmt: skip
