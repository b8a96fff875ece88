"""Ways of backhaul that new stations may be built with: one table, one row a way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

# Column -> type, and what stands where a table does not say.
WAY_TYPES: dict[str, tuple[str, Any]] = {
    "option": ("int64", None),
    "kind": ("str", None),
    "node": ("int64", -1),
    "capex_vnd": ("int64", 0),
    "opex_vnd_per_year": ("int64", 0),
    "lifetime_vnd": ("int64", 0),
    "cap": ("str", ""),
    "rate_mbps": ("float64", np.nan),
    "availability": ("float64", np.nan),
    "until": ("str", ""),
    "relays": ("object", ()),
    "relay_most": ("int64", 0),
    "end_id": ("str", ""),
    "end_x": ("float64", np.nan),
    "end_y": ("float64", np.nan),
    "end_height_m": ("float64", np.nan),
}


def way_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows that name what differs from the defaults, as a table with every column."""
    return _filled(pd.DataFrame(list(rows), columns=_columns(rows)))


def joined_ways(ways: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Both tables as one, ascending by option; relays of `more` are rows of `ways` followed by `more`."""
    both = pd.concat([ways, _filled(more)], ignore_index=True)
    order = np.argsort(both["option"].to_numpy(), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    sorted_rows = both.iloc[order].reset_index(drop=True)
    relays = [tuple(sorted(place[list(rows)].tolist())) if rows else () for rows in sorted_rows["relays"]]
    return sorted_rows.assign(relays=pd.Series(relays, dtype=object))


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    named = {name for row in rows for name in row}
    return [name for name in WAY_TYPES if name in named]


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    filled = {}
    for name, (kind, default) in WAY_TYPES.items():
        if name in table:
            values = table[name]
            if name == "relays":
                values = pd.Series([r if isinstance(r, tuple) else () for r in values], index=table.index, dtype=object)
            elif default is not None:
                values = values.where(values.notna(), default)
        else:
            values = pd.Series([default] * len(table), index=table.index, dtype=object)
        filled[name] = values.astype(kind)
    return pd.DataFrame(filled, columns=list(WAY_TYPES)).reset_index(drop=True)
