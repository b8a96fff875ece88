"""Inputs of a Recommendation checked against its range of validity, scalars and arrays alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from phusong.coverage.errors import ValueOutOfRange


def require_range(
    recommendation: str, name: str, values: ArrayLike, low: float, high: float, unit: str, *, open_ends: bool = False
) -> None:
    """Raises ValueOutOfRange where a value lies outside low .. high, or is NaN; the first such value is named.

    open_ends : the two bounds themselves lie outside too
    """
    given = np.atleast_1d(np.asarray(values, np.float64))
    inside = (given > low) & (given < high) if open_ends else (given >= low) & (given <= high)
    if inside.all():
        return
    if np.isinf(high):
        allowed = f"{name} {'above' if open_ends else 'from'} {low:g} {unit}"
    else:
        allowed = f"{name} {'between' if open_ends else 'from'} {low:g} {'and' if open_ends else 'to'} {high:g} {unit}"
    raise ValueOutOfRange(
        what=f"{recommendation} does not take this {name}",
        where=f"{name} = {given[~inside][0]:g} {unit}".rstrip(),
        mend=f"give {allowed}".rstrip(),
    )
