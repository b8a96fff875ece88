"""The sky of a tile of cells against each cell's own mask."""

from __future__ import annotations

from math import pi

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.coverage.satellite.sky import HIDDEN_LEVEL, OPEN, TOP, level_scale

MOST_COUNTED = 255  # satellites at once; more count as this many
LANES = 64  # cells that one instruction compares at most; tiles are filled up to a multiple
MASK_PER_DEG = 32  # masks are looked up in steps so wide
PERCENT = (0.05, 0.5, 0.95)
COLUMNS = 10  # of the figures of a cell:
SHARE_1, SHARE_2, LOW, MIDDLE, HIGH, LONGEST, P95, OBSTRUCTED, HIDDEN, BEST = range(COLUMNS)


@njit(cache=True, nogil=True)
def mask_levels(min_elevation_deg: float) -> NDArray[np.uint8]:
    """Levels of sight of masks every 1/32 degree from the least usable elevation to the zenith."""
    floor = np.sin(min_elevation_deg * pi / 180.0)
    table = np.empty(int((90.0 - min_elevation_deg) * MASK_PER_DEG) + 2, np.uint8)
    for i in range(table.size):
        sine = np.sin(min(min_elevation_deg + i / MASK_PER_DEG, 90.0) * pi / 180.0)
        table[i] = min(int(OPEN + (sine - floor) * level_scale(floor) + 0.5), TOP)
    return table


@njit(cache=True, nogil=True)
def tile_masks(
    horizon_deg: NDArray[np.float32], min_elevation_deg: float, table: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    """Masks (A, lanes) as levels of sight, the lane (h, w) of each cell (-1: unknown), and how many lanes are in use.

    horizon_deg : (A, h, w) of one tile's cells;  table: mask_levels
    Cells whose mask never rises above the least elevation share one lane. 9 ns a value.
    """
    azimuths, rows, cols = horizon_deg.shape
    level = np.empty((azimuths, rows * cols), np.uint8)
    highest, unknown = np.zeros(rows * cols, np.uint8), np.zeros(rows * cols, np.bool_)
    for a in range(azimuths):
        for r in range(rows):
            for c in range(cols):
                i = r * cols + c
                rise = (horizon_deg[a, r, c] - np.float32(min_elevation_deg)) * np.float32(MASK_PER_DEG)
                if rise != rise:
                    unknown[i] = True
                    continue
                high = table[int(min(max(rise + np.float32(0.5), np.float32(0.0)), np.float32(table.size - 1)))]
                level[a, i] = high
                highest[i] = max(highest[i], high)
    lane_of = np.full((rows, cols), -1, np.int64)
    source = np.empty(rows * cols, np.int64)
    count, open_lane = 0, -1
    for i in range(rows * cols):
        if unknown[i]:
            continue
        if highest[i] == OPEN and open_lane >= 0:
            lane_of[i // cols, i % cols] = open_lane
            continue
        if highest[i] == OPEN:
            open_lane = count
        source[count] = i
        lane_of[i // cols, i % cols] = count
        count += 1
    mask = np.full((azimuths, (count + LANES - 1) // LANES * LANES), np.uint8(HIDDEN_LEVEL), np.uint8)
    for a in range(azimuths):
        for lane in range(count):
            mask[a, lane] = level[a, source[lane]]
    return mask, lane_of, count


@njit(cache=True, nogil=True)
def tile_counts(
    mask: NDArray[np.uint8],
    used: int,
    east_km: float,
    north_km: float,
    base: NDArray[np.int64],
    begin: NDArray[np.int64],
    between: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """Usable satellites (T, lanes) at every step over every lane of a tile, of which `used` are in use.

    east_km, north_km : the tile's middle from its block's;  base, begin, between: the block's sky (`sky.over_block`)
    10 ns for each satellite between the block's lowest and highest mask, however many lanes.
    """
    azimuths = mask.shape[0]
    lowest, highest = np.empty(azimuths, np.uint8), np.empty(azimuths, np.uint8)
    for a in range(azimuths):
        lowest[a], highest[a] = mask[a, :used].min(), mask[a, :used].max()
    high, toward = _from_the_tile(between, np.float32(east_km), np.float32(north_km), azimuths)
    most = 0
    for t in range(base.size):
        most = max(most, begin[t + 1] - begin[t])
    level, azimuth = np.zeros(most + 4, np.uint8), np.zeros(most + 4, np.int64)
    counts = np.empty((base.size, mask.shape[1]), np.uint8)
    for t in range(base.size):
        clear, differing = base[t], 0
        for k in range(begin[t], begin[t + 1]):
            a = toward[k]
            # Both are written, so that no branch waits for them; only the number says what counts.
            level[differing], azimuth[differing] = high[k], a
            above_all = high[k] >= highest[a]
            clear += above_all
            differing += (high[k] >= lowest[a]) & (not above_all)
        level[differing : differing + 3] = 0  # hidden by every mask
        if clear + differing <= MOST_COUNTED:
            _add(mask, azimuth, level, differing, np.uint8(clear), counts[t])
        else:
            _add_carefully(mask, azimuth, level, differing, clear, counts[t])
    return counts


@njit(cache=True, nogil=True)
def _from_the_tile(
    between: NDArray[np.float32], east_km: np.float32, north_km: np.float32, azimuths: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Level of sight and nearest direction of the mask (M,) of each satellite of the block, from the tile's middle."""
    count = between.shape[1]
    high, toward = np.empty(count, np.uint8), np.empty(count, np.uint16)
    half, around = np.float32(azimuths + 0.5), np.int32(azimuths)
    for k in range(count):
        level = between[0, k] + between[1, k] * east_km + between[2, k] * north_km
        high[k] = np.uint8(min(max(level, np.float32(0.0)), np.float32(TOP)))
    for k in range(count):
        a = np.int32(between[3, k] + between[4, k] * east_km + between[5, k] * north_km + half)
        a = a - around if a >= around else a
        toward[k] = np.uint16(a - around if a >= around else a)
    return high, toward


@njit(cache=True, nogil=True)
def _add(
    mask: NDArray[np.uint8],
    toward: NDArray[np.int64],
    level: NDArray[np.uint8],
    number: int,
    clear: np.uint8,
    over: NDArray[np.uint8],
) -> None:
    """Counts satellites at levels of sight against each lane's mask, four at a time."""
    for lane in range(over.size):
        over[lane] = clear
    for k in range(0, number, 4):
        m0, m1, m2, m3 = mask[toward[k]], mask[toward[k + 1]], mask[toward[k + 2]], mask[toward[k + 3]]
        l0, l1, l2, l3 = level[k], level[k + 1], level[k + 2], level[k + 3]
        for lane in range(over.size):
            pair = np.uint8(np.uint8(m0[lane] <= l0) + np.uint8(m1[lane] <= l1))
            other = np.uint8(np.uint8(m2[lane] <= l2) + np.uint8(m3[lane] <= l3))
            over[lane] = np.uint8(over[lane] + np.uint8(pair + other))


@njit(cache=True, nogil=True)
def _add_carefully(
    mask: NDArray[np.uint8],
    toward: NDArray[np.int64],
    level: NDArray[np.uint8],
    number: int,
    clear: int,
    over: NDArray[np.uint8],
) -> None:
    """The same where a byte could overflow."""
    for lane in range(over.size):
        satellites = clear
        for k in range(number):
            satellites += mask[toward[k], lane] <= level[k]
        over[lane] = min(satellites, MOST_COUNTED)


@njit(cache=True, nogil=True, error_model="numpy")
def tile_figures(
    counts: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    lane_of: NDArray[np.int64],
    used: int,
    turn_rad: float,
    above: NDArray[np.int64],
    figures: NDArray[np.float32],
) -> None:
    """Fills figures (COLUMNS, h, w) of a tile's cells; azimuth from true north, outages in steps.

    counts, mask, lane_of, used : of `tile_counts` and `tile_masks`;  above, turn_rad: of the block
    0.7 ns a cell and step; more where a cell of the tile is in the dark.
    """
    lanes, steps = mask.shape[1], counts.shape[0]
    answer = np.empty((COLUMNS, lanes), np.float32)
    bound, reached = np.ones((3, lanes), np.uint8), np.empty((3, lanes), np.int64)
    bound[1] = 2
    _steps_with(counts, bound, reached)
    dark = False
    for lane in range(used):
        answer[SHARE_1, lane], answer[SHARE_2, lane] = reached[0, lane] / steps, reached[1, lane] / steps
        dark |= reached[0, lane] < steps
    _percentiles(counts, bound, reached, answer[LOW : HIGH + 1])
    answer[LONGEST : P95 + 1] = 0.0
    if dark:
        _outages(counts, used, answer[LONGEST], answer[P95])
    _sky_figures(mask, used, turn_rad, above, answer)
    for r in range(lane_of.shape[0]):
        for c in range(lane_of.shape[1]):
            if lane_of[r, c] >= 0:
                for k in range(COLUMNS):
                    figures[k, r, c] = answer[k, lane_of[r, c]]


@njit(cache=True, nogil=True)
def _steps_with(counts: NDArray[np.uint8], bound: NDArray[np.uint8], reached: NDArray[np.int64]) -> None:
    """Steps (3, lanes) whose count is at least each of the lane's three bounds."""
    lanes = bound.shape[1]
    partial = np.zeros((3, lanes), np.uint8)
    p0, p1, p2 = partial[0], partial[1], partial[2]
    b0, b1, b2 = bound[0], bound[1], bound[2]
    reached[:] = 0
    for first in range(0, counts.shape[0], 255):  # as many as a byte counts
        for t in range(first, min(first + 255, counts.shape[0])):
            row = counts[t]
            for lane in range(lanes):
                p0[lane] = np.uint8(p0[lane] + np.uint8(row[lane] >= b0[lane]))
                p1[lane] = np.uint8(p1[lane] + np.uint8(row[lane] >= b1[lane]))
                p2[lane] = np.uint8(p2[lane] + np.uint8(row[lane] >= b2[lane]))
        for number in range(3):
            for lane in range(lanes):
                reached[number, lane] += partial[number, lane]
                partial[number, lane] = 0


@njit(cache=True, nogil=True)
def _percentiles(
    counts: NDArray[np.uint8], bound: NDArray[np.uint8], reached: NDArray[np.int64], answer: NDArray[np.float32]
) -> None:
    """Nearest rank: the highest count that is reached often enough, its bits found from the top, all lanes at once."""
    steps, lanes = counts.shape
    highest = np.zeros(lanes, np.uint8)
    for t in range(steps):
        row = counts[t]
        for lane in range(lanes):
            highest[lane] = row[lane] if row[lane] > highest[lane] else highest[lane]
    most = highest.max()
    found = np.zeros((3, lanes), np.uint8)
    bit = 128
    while bit > most:
        bit //= 2
    while bit > 0:
        for number in range(3):
            for lane in range(lanes):
                bound[number, lane] = np.uint8(found[number, lane] + np.uint8(bit))
        _steps_with(counts, bound, reached)
        for number in range(3):
            needed = steps - np.ceil(PERCENT[number] * steps) + 1
            for lane in range(lanes):
                if reached[number, lane] >= needed:
                    found[number, lane] = bound[number, lane]
        bit //= 2
    for number in range(3):
        for lane in range(lanes):
            answer[number, lane] = found[number, lane]


@njit(cache=True, nogil=True)
def _outages(counts: NDArray[np.uint8], used: int, longest: NDArray[np.float32], p95: NDArray[np.float32]) -> None:
    """Lengths, in steps, of the longest outage and of the 95th percentile of outages by nearest rank."""
    steps = counts.shape[0]
    length = np.empty((used, steps // 2 + 1), np.uint16)
    number, last = np.zeros(used, np.int64), np.full(used, -2, np.int64)
    for t in range(steps):
        row = counts[t]
        dark = 0
        for lane in range(used):
            dark += row[lane] == 0
        if dark == 0:
            continue
        for lane in range(used):
            if row[lane] == 0:
                if last[lane] == t - 1:
                    length[lane, number[lane] - 1] += 1
                else:
                    length[lane, number[lane]] = 1
                    number[lane] += 1
                last[lane] = t
    of_length = np.zeros(steps + 1, np.int64)
    for lane in range(used):
        high = 0
        for k in range(number[lane]):
            of_length[length[lane, k]] += 1
            high = max(high, int(length[lane, k]))
        longest[lane] = high
        longer = 0  # outages at least so long
        for steps_long in range(high, 0, -1):
            longer += of_length[steps_long]
            of_length[steps_long] = 0
            if p95[lane] == 0.0 and number[lane] - longer < 0.95 * number[lane]:
                p95[lane] = steps_long


@njit(cache=True, nogil=True)
def _sky_figures(
    mask: NDArray[np.uint8], used: int, turn_rad: float, above: NDArray[np.int64], answer: NDArray[np.float32]
) -> None:
    """Share of the sky and of the satellites' time that each mask takes, and where the rest stands on the whole."""
    azimuths = mask.shape[0]
    taken, left, east, north = np.zeros(used), np.zeros(used), np.zeros(used), np.zeros(used)
    total = 0.0
    for a in range(azimuths):
        angle = 2.0 * pi * a / azimuths
        across, along = np.sin(angle), np.cos(angle)
        total += above[a, OPEN]
        for lane in range(used):
            visible = float(above[a, mask[a, lane]])
            taken[lane] += mask[a, lane] - OPEN
            left[lane] += visible
            east[lane] += visible * across
            north[lane] += visible * along
    for lane in range(used):
        # Even levels of the sine are even solid angles.
        answer[OBSTRUCTED, lane] = taken[lane] / (azimuths * (TOP - OPEN))
        answer[HIDDEN, lane] = 1.0 - left[lane] / total if total > 0.0 else np.nan
        best = (np.arctan2(east[lane], north[lane]) + turn_rad) * 180.0 / pi % 360.0
        answer[BEST, lane] = best if left[lane] > 0.0 else np.nan
