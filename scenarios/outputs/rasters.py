"""Rasters of a run: the signal as GeoTIFF, and signal and terrain as pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.transform import array_bounds
from rasterio.warp import Resampling, calculate_default_transform, reproject, transform_bounds

from phusong.coverage.uncertainty import level_exceeded_dbm
from phusong.scenarios.outputs.result import PartRasters, RunResult
from phusong.scenarios.outputs.words import model_text

# Lower bounds of the colour classes [dBm], weak to strong, and their colours: one luminance ramp from pale yellow to
# blue, readable with any colour vision. A colour is never a state: the rule decides which hamlet is low-signal.
CLASS_FROM_DBM = (-120, -110, -100, -90, -80)
CLASS_COLOUR = ("#e3ecc4", "#b3d9bf", "#6fbabb", "#3f93b3", "#2b6299")

PAPER = (244, 242, 237)  # what shows where there is no terrain
SHADOW, LIGHT = (134, 131, 125), (252, 251, 249)
SHADE_LEVELS = 40
MARGIN_FADE = 0.62  # how far the terrain outside the planned area goes towards paper
TEXTURE_LIMIT = 4096  # pixels a side that every WebGL device draws

Grey = NDArray[np.float32]
Index = NDArray[np.uint8]


LEVELS = {"P50": 0.5, "P90": 0.9, "P10": 0.1}  # band -> probability with which its level is exceeded


def write_rsrp(path: Path, part: PartRasters, rsrp_dbm: NDArray[np.float32], tags: Mapping[str, str]) -> None:
    """Write one signal raster as a cloud-optimised GeoTIFF: float32 dBm, NaN where nothing arrives, own overviews.

    Bands P50 (the median), P90 and P10, levels exceeded with that probability. Tenths of a decibel are finer than any
    model, and take half the bytes of full precision.
    """
    rows, columns = rsrp_dbm.shape
    with rasterio.open(
        path,
        "w",
        driver="COG",
        width=columns,
        height=rows,
        count=len(LEVELS),
        dtype="float32",
        nodata=np.nan,
        crs=str(part.box.crs),
        transform=part.box.affine,
        compress="DEFLATE",
        predictor="YES",
        overview_resampling="NEAREST",  # an average of decibels is no one's signal
    ) as file:
        for band, (name, probability) in enumerate(LEVELS.items(), start=1):
            level = level_exceeded_dbm(rsrp_dbm, probability, part.sigma_db, 0.0)
            file.write(np.round(level, 1).astype(np.float32), band)
            file.set_band_description(band, f"RSRP, best server, {name}")
            file.set_band_unit(band, "dBm")
        file.update_tags(**tags)


def write_rasters(result: RunResult, folder: Path) -> None:
    """`baseline_rsrp.tif` and `planned_rsrp.tif`; the second and later parts as `-2`, `-3`."""
    for number, part in enumerate(result.parts, start=1):
        suffix = "" if number == 1 else f"-{number}"
        tags = {"SCENARIO": result.name, "PART": part.name, "MODEL": model_text(result.summary)}
        if result.label:
            tags |= {"TIFFTAG_IMAGEDESCRIPTION": result.label, "SYNTHETIC": ", ".join(result.synthetic)}
        write_rsrp(folder / f"baseline_rsrp{suffix}.tif", part, part.baseline_rsrp_dbm, tags)
        write_rsrp(folder / f"planned_rsrp{suffix}.tif", part, part.planned_rsrp_dbm, tags)


def hillshade(height_m: NDArray[np.float32], cell_m: float) -> Grey:
    """Light on the terrain, 0 (shadow) .. 1 (lit), from the north-west at 45 degrees; NaN where there is no terrain.

    Heights are exaggerated until the steepest twentieth stands at 27 degrees (at most eightfold), so that a delta
    shows its levees and a mountain keeps its shape.
    """
    south, east = np.gradient(height_m.astype(np.float64), cell_m)
    slope = np.hypot(south, east)
    steep = np.nanpercentile(slope, 95) if np.isfinite(slope).any() else 0.0
    exaggeration = np.clip(0.5 / max(steep, 1e-6), 1.0, 8.0)
    south, east = south * exaggeration, east * exaggeration
    # surface normal (-east, south, 1) towards the sun (-1, 1, sqrt 2) / 2, x east and y north
    light = (east + south + np.sqrt(2.0)) / (2.0 * np.sqrt(1.0 + south**2 + east**2))
    return np.asarray(np.clip(light, 0.0, 1.0), np.float32)


def rsrp_class(rsrp_dbm: NDArray[np.float32]) -> Index:
    """Colour class of each cell: 0 below the weakest class or without signal, then 1 .. 5, weak to strong."""
    filled = np.nan_to_num(rsrp_dbm, nan=-np.inf)
    classes: Index = np.searchsorted(CLASS_FROM_DBM, filled, side="right").astype(np.uint8)
    return classes


def rgb(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` as three bytes."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def shade_palette() -> NDArray[np.uint8]:
    """Colours of a shaded relief: 0 paper, then SHADE_LEVELS inside the area, then SHADE_LEVELS paler ones outside."""
    ramp = np.linspace(0.0, 1.0, SHADE_LEVELS)[:, None]
    inside = np.array(SHADOW) * (1 - ramp) + np.array(LIGHT) * ramp
    outside = inside * (1 - MARGIN_FADE) + np.array(PAPER) * MARGIN_FADE
    return np.asarray(np.rint(np.vstack([[PAPER], inside, outside])), np.uint8)


def shade_index(light: Grey, inside: NDArray[np.bool_]) -> Index:
    """The relief as indices of `shade_palette`; 0 where there is no terrain."""
    known = np.isfinite(light)
    # 0.3 .. 0.92 holds nearly all slopes; the rest saturates
    level = np.clip((np.nan_to_num(light) - 0.3) / 0.62, 0.0, 1.0) * (SHADE_LEVELS - 1)
    index = 1 + np.rint(level).astype(np.uint8) + np.where(inside, 0, SHADE_LEVELS).astype(np.uint8)
    return np.asarray(np.where(known, index, 0), np.uint8)


@dataclass(frozen=True, slots=True)
class WebPictures:
    """The pictures of one part in Web Mercator, as PNG, north up.

    corners : (longitude, latitude) of the top left, top right, bottom right and bottom left corner
    """

    corners: tuple[tuple[float, float], ...]
    relief: bytes
    before: bytes
    after: bytes


def web_pictures(part: PartRasters) -> WebPictures:
    """Warp relief and signal of a part to Web Mercator, about one pixel a cell, and colour them.

    Signal is shown inside the planned area only; the relief goes on, paler, to the end of the margin.
    """
    rows, columns = part.height_m.shape
    bounds = array_bounds(rows, columns, part.box.affine)
    source = str(part.box.crs)
    affine, width, height = calculate_default_transform(source, "EPSG:3857", columns, rows, *bounds)
    shrink = max(width, height) / TEXTURE_LIMIT
    if shrink > 1:
        affine = affine @ affine.scale(shrink)
        width, height = int(width / shrink), int(height / shrink)

    def warp(raster: NDArray[np.generic], fill: float, how: Resampling) -> NDArray[np.generic]:
        out = np.full((height, width), fill, raster.dtype)
        reproject(
            raster,
            out,
            src_transform=part.box.affine,
            src_crs=source,
            src_nodata=None if raster.dtype == np.uint8 else np.nan,
            dst_transform=affine,
            dst_crs="EPSG:3857",
            dst_nodata=fill,
            init_dest_nodata=True,
            resampling=how,
        )
        return out

    light = warp(hillshade(part.height_m, abs(part.box.affine.a)), np.nan, Resampling.bilinear)
    inside = warp(part.inside.astype(np.uint8), 0, Resampling.nearest) == 1
    relief = shade_index(light.astype(np.float32), inside)
    classes = [
        warp(np.where(part.inside, rsrp_class(signal), 0).astype(np.uint8), 0, Resampling.nearest).astype(np.uint8)
        for signal in (part.baseline_rsrp_dbm, part.planned_rsrp_dbm)
    ]
    colours = np.array([PAPER, *(rgb(colour) for colour in CLASS_COLOUR)], np.uint8)
    west, south, east, north = transform_bounds("EPSG:3857", "EPSG:4326", *array_bounds(height, width, affine))
    return WebPictures(
        corners=((west, north), (east, north), (east, south), (west, south)),
        relief=indexed_png(relief, shade_palette()),
        before=indexed_png(classes[0], colours),
        after=indexed_png(classes[1], colours),
    )


def indexed_png(index: Index, palette: NDArray[np.uint8]) -> bytes:
    """A PNG of palette indices; index 0 is transparent."""
    image = Image.fromarray(index, mode="P")
    image.putpalette(palette.tobytes())
    memory = io.BytesIO()
    image.save(memory, "PNG", transparency=b"\x00", compress_level=9)
    return memory.getvalue()
