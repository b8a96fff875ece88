"""Speed classes: throughput against a norm of quality, place by place and over an area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import ValueOutOfRange

NO_SIGNAL, BELOW, ENOUGH, FULL = 0, 1, 2, 3
SPEED_CLASS_NAMES = ("none", "below", "enough", "full")


@dataclass(frozen=True, slots=True)
class SpeedNorm:
    """What a technology is asked for.

    download_mbps, upload_mbps : mean speeds over the samples
    least_download_mbps        : download that `least_share` of the samples reach
    source                     : document, or "assumption"
    """

    download_mbps: float
    upload_mbps: float
    least_download_mbps: float
    least_share: float
    source: str


# Section 2.1.5.2: mean download >= 100 Mbps, mean upload >= 30 Mbps, 95% of the samples >= 30 Mbps down.
QCVN_126_2021 = SpeedNorm(100.0, 30.0, 30.0, 0.95, "QCVN 126:2021/BTTTT")


@dataclass(frozen=True, slots=True)
class AreaVerdict:
    """An area against a norm: weighted means [Mbps], share of the weight that reaches the least download, judgement."""

    download_mbps: float
    upload_mbps: float
    least_share: float
    met: bool


def classify(download_mbps: ArrayLike, upload_mbps: ArrayLike, norm: SpeedNorm) -> NDArray[np.uint8]:
    """Class of each place: FULL, ENOUGH, BELOW or NO_SIGNAL.

    download_mbps, upload_mbps : of one user there [Mbps], NaN: no signal; broadcast together
    FULL: both mean speeds of the norm; ENOUGH: the download that nearly all samples must reach; BELOW: less. The norm
    itself speaks of an area, see `verdict`: an area all FULL meets it, one that meets it need not be all FULL.
    """
    down, up = np.broadcast_arrays(np.asarray(download_mbps, np.float64), np.asarray(upload_mbps, np.float64))
    with np.errstate(invalid="ignore"):
        full = (down >= norm.download_mbps) & (up >= norm.upload_mbps)
        enough = down >= norm.least_download_mbps
    heard = ~(np.isnan(down) | np.isnan(up))
    return np.where(~heard, NO_SIGNAL, np.where(full, FULL, np.where(enough, ENOUGH, BELOW))).astype(np.uint8)


def verdict(download_mbps: ArrayLike, upload_mbps: ArrayLike, weight: ArrayLike, norm: SpeedNorm) -> AreaVerdict:
    """Whether an area meets a norm, its places weighted by people; a place without signal counts as 0 Mbps.

    weight : people of each place, or 1 a sample
    Raises ValueOutOfRange where nobody is.
    """
    down = np.nan_to_num(np.asarray(download_mbps, np.float64)).reshape(-1)
    up = np.nan_to_num(np.asarray(upload_mbps, np.float64)).reshape(-1)
    weights = np.broadcast_to(np.asarray(weight, np.float64), np.shape(download_mbps)).reshape(-1)
    total = float(weights.sum())
    if not total > 0.0:
        raise ValueOutOfRange(
            what="there is nobody to judge the speed for",
            where=f"weights of {weights.size} places add up to {total:g}",
            mend="give places with people, or a weight of 1 each",
        )
    mean_down, mean_up = float(down @ weights) / total, float(up @ weights) / total
    share = float(weights[down >= norm.least_download_mbps].sum()) / total
    met = mean_down >= norm.download_mbps and mean_up >= norm.upload_mbps and share >= norm.least_share
    return AreaVerdict(mean_down, mean_up, share, met)
