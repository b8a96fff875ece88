"""The Irregular Terrain Model's delta h: how far the deciles of a profile's heights lie apart.

Source: G. A. Hufford, The ITS Irregular Terrain Model, version 1.2.2, the Algorithm; NTIA's C++ program for what it
leaves open.
"""

from __future__ import annotations

from math import exp, floor

import numpy as np
from numba import njit
from numpy.typing import NDArray

# The profile is resampled to at most this many points for its irregularity.
MOST_SAMPLES = 245
BUCKETS = 64
WORKSPACE = 4 * MOST_SAMPLES + 4 * BUCKETS


@njit(cache=True, nogil=True, error_model="numpy")
def sums(values: NDArray[np.float64], first: int, end: int, middle: float) -> tuple[float, float]:
    """Sum of values[first : end], and their first moment about a point; 0.6 ns a value."""
    # Four sums side by side, as an addition must wait for the one before it.
    some = values[first:end]
    middle -= first
    t0 = t1 = t2 = t3 = 0.0
    m0 = m1 = m2 = m3 = 0.0
    whole = some.size // 4 * 4
    for k in range(0, whole, 4):
        at = k - middle
        t0 += some[k]
        t1 += some[k + 1]
        t2 += some[k + 2]
        t3 += some[k + 3]
        m0 += some[k] * at
        m1 += some[k + 1] * (at + 1.0)
        m2 += some[k + 2] * (at + 2.0)
        m3 += some[k + 3] * (at + 3.0)
    for k in range(whole, some.size):
        t0 += some[k]
        m0 += some[k] * (k - middle)
    return (t0 + t1) + (t2 + t3), (m0 + m1) + (m2 + m3)


@njit(cache=True, nogil=True, error_model="numpy")
def _put_in_order(values: NDArray[np.float64], low: int, high: int, place: int) -> None:
    # Reorders values[low : high + 1] until values[place] is what sorting would put there (Hoare's quickselect).
    while low < high:
        pivot = values[place]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if j < place:
            low = i
        if place < i:
            high = j


@njit(cache=True, nogil=True, error_model="numpy")
def spread_m(values: NDArray[np.float64], n: int, tenth: int, work: NDArray[np.float64]) -> float:
    """Difference of the tenth-largest and the tenth-smallest of n values, as sorting gives it; 3 ns a value."""
    # The values are counted into buckets, and only the two buckets that hold the places are put in order.
    low = high = values[0]
    for j in range(n):
        low = min(low, values[j])
        high = max(high, values[j])
    if not high > low:
        return 0.0
    counts = work[: 4 * BUCKETS]
    rest = work[4 * BUCKETS :]
    bucket = rest[:MOST_SAMPLES]
    upper = rest[MOST_SAMPLES : 2 * MOST_SAMPLES]
    lower = rest[2 * MOST_SAMPLES : 3 * MOST_SAMPLES]
    counts[:] = 0.0
    scale = (BUCKETS - 1) / (high - low)
    for j in range(n):
        bucket[j] = floor((values[j] - low) * scale)
    # Neighbours mostly fall into one bucket, and a count must wait for the one before it: four counts take turns.
    for j in range(n):
        counts[np.uint32(bucket[j]) + np.uint32(BUCKETS * (j & 3))] += 1.0
    for k in range(BUCKETS):
        counts[k] += counts[k + BUCKETS] + counts[k + 2 * BUCKETS] + counts[k + 3 * BUCKETS]
    lower_bucket = 0
    lower_place = tenth - 1.0
    while counts[lower_bucket] <= lower_place:
        lower_place -= counts[lower_bucket]
        lower_bucket += 1
    upper_bucket = BUCKETS - 1
    upper_place = tenth - counts[upper_bucket]
    while upper_place > 0.0:
        upper_bucket -= 1
        upper_place -= counts[upper_bucket]
    uppers = 0
    lowers = 0
    for j in range(n):
        upper[uppers] = values[j]
        uppers += bucket[j] == upper_bucket
        lower[lowers] = values[j]
        lowers += bucket[j] == lower_bucket
    upper_at = int(-upper_place)
    lower_at = int(lower_place)
    _put_in_order(upper, 0, uppers - 1, upper_at)
    _put_in_order(lower, 0, lowers - 1, lower_at)
    return float(upper[upper_at] - lower[lower_at])


@njit(cache=True, nogil=True, error_model="numpy")
def irregularity_m(
    profile_m: NDArray[np.float64], step_m: float, start_m: float, end_m: float, work: NDArray[np.float64]
) -> float:
    """Delta h [m]: spread between deciles of the heights over a fitted line, carried to an endless path; 1 us.

    profile_m       : (n,) heights above sea [m], n >= 2
    step_m          : distance between two points [m]
    start_m, end_m  : part of the path that counts [m]
    work            : (WORKSPACE,) written over
    """
    first = start_m / step_m
    span = end_m / step_m - first
    if span < 2.0:
        return 0.0
    sample_m = work[:MOST_SAMPLES]
    last = profile_m.size - 1
    tenth = min(max(4, int(0.1 * (span + 8.0))), 25)
    n = 10 * tenth - 5
    stride = span / (n - 1)
    middle = 0.5 * (n - 1)
    # Places first, heights after: the first loop works on several samples at once.
    before = work[MOST_SAMPLES : MOST_SAMPLES + n]
    beyond = work[2 * MOST_SAMPLES : 2 * MOST_SAMPLES + n]
    for j in range(n):
        at = first + j * stride
        before[j] = min(floor(at), last - 1.0)
        beyond[j] = at - before[j]
    for j in range(n):
        i = np.uint32(before[j])
        sample_m[j] = profile_m[i] + (profile_m[i + 1] - profile_m[i]) * beyond[j]
    # The ends of the fitted line count half.
    length = n - 1.0
    total, moment = sums(sample_m, 0, n, middle)
    total -= 0.5 * (sample_m[0] + sample_m[n - 1])
    moment -= 0.25 * length * (sample_m[n - 1] - sample_m[0])
    slope = 12.0 * moment / ((length * length + 2.0) * length)
    mean = total / length
    for j in range(n):
        sample_m[j] -= mean + slope * (j - middle)
    apart_m = spread_m(sample_m, n, tenth, work[MOST_SAMPLES:])
    return apart_m / (1.0 - 0.8 * exp(-(end_m - start_m) / 50e3))
