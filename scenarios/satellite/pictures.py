"""The satellite rasters as coloured pictures of the map page, with the scale that explains each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.transform import array_bounds
from rasterio.warp import Resampling, calculate_default_transform, reproject, transform_bounds

from phusong.scenarios.outputs.rasters import CLASS_COLOUR, PAPER, TEXTURE_LIMIT, indexed_png, rgb
from phusong.scenarios.satellite.ground import Mask
from phusong.scenarios.satellite.result import PartLayers, SatelliteResult

# Lower bounds of the colour classes of each layer, the least favourable first; the colours are those of the signal, and
# for what is hidden of the sky their mirror.
CLASS_FROM: Mapping[str, tuple[float, ...]] = {
    "rate": (0.1, 5.0, 10.0, 25.0, 50.0),
    "rain_limited": (0.5, 0.9, 0.99, 0.995, 0.999),
    "availability": (0.5, 0.9, 0.99, 0.999, 0.9999),
    "obstruction": (0.0, 0.01, 0.05, 0.1, 0.2),
    "geo_rain_limited": (0.5, 0.9, 0.99, 0.995, 0.999),
    "phones": (0.1, 0.5, 0.75, 0.9, 0.99),
}
MIRRORED = ("obstruction",)


def layer_names(result: SatelliteResult) -> list[str]:
    """The layers that any part has, in the order in which they are offered."""
    return [name for name in CLASS_FROM if any(name in part.rasters for part in result.parts)]


def layer_class(name: str, raster: Mask) -> NDArray[np.uint8]:
    """Colour class of each cell: 0 below the first bound and where nothing is known, then 1 to 5."""
    filled = np.nan_to_num(raster.astype(np.float64), nan=-np.inf)
    classes: NDArray[np.uint8] = np.searchsorted(CLASS_FROM[name], filled, side="right").astype(np.uint8)
    return classes


def colours_of(name: str) -> tuple[str, ...]:
    return tuple(reversed(CLASS_COLOUR)) if name in MIRRORED else CLASS_COLOUR


def scales(result: SatelliteResult) -> dict[str, dict[str, Any]]:
    """Per layer its bounds, as people read them, and its colours."""
    said = {}
    for name in layer_names(result):
        bounds = CLASS_FROM[name]
        texts = [f"{b:g} Mbps" for b in bounds] if name == "rate" else [f"{100.0 * b:g}%" for b in bounds]
        said[name] = {"from": texts, "colour": list(colours_of(name))}
    return said


def part_pictures(part: PartLayers) -> dict[str, Any]:
    """The layers of one part in Web Mercator: PNG by name, and the corners they share; inside the area only."""
    rows, columns = part.inside.shape
    source, bounds = str(part.box.crs), array_bounds(rows, columns, part.box.affine)
    affine, width, height = calculate_default_transform(source, "EPSG:3857", columns, rows, *bounds)
    shrink = max(width, height) / TEXTURE_LIMIT
    if shrink > 1:
        affine = affine @ affine.scale(shrink)
        width, height = int(width / shrink), int(height / shrink)
    pictures: dict[str, bytes] = {}
    for name, raster in part.rasters.items():
        index = np.zeros((height, width), np.uint8)
        reproject(
            np.where(part.inside, layer_class(name, raster), 0).astype(np.uint8),
            index,
            src_transform=part.box.affine,
            src_crs=source,
            dst_transform=affine,
            dst_crs="EPSG:3857",
            resampling=Resampling.nearest,
        )
        palette = np.array([PAPER, *(rgb(colour) for colour in colours_of(name))], np.uint8)
        pictures[name] = indexed_png(index, palette)
    west, south, east, north = transform_bounds("EPSG:3857", "EPSG:4326", *array_bounds(height, width, affine))
    return {"corners": ((west, north), (east, north), (east, south), (west, south)), "png": pictures}
