"""The radial mode on a GPU, in numba's simulator of one: the processor's losses, and what is said where none is."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import phusong.coverage.cuda
from phusong.coverage.cuda import check_device, radial_on
from phusong.coverage.errors import DeviceUnusable
from phusong.coverage.propagation.p1812 import P1812
from phusong.coverage.radial import radial_losses
from phusong.coverage.terrain import Terrain

needs_numba_cuda = pytest.mark.skipif(find_spec("numba_cuda") is None, reason="numba-cuda is not installed")

MODELS = (
    P1812(),
    P1812(location_pct=80.0, vertical=False, closed_smooth_earth=True),
    P1812(time_pct=5.0, location_pct=90.0),
)
RAYS = 90
RX_HEIGHT_M = 1.5
TX_HEIGHT_M = np.array([12.0, 45.0])
FIRST = np.array([0, 1, 3])
FREQUENCY_MHZ = np.array([700.0, 3500.0, 7000.0])  # the last beyond P.1812
SITES = np.array([[11.0, 12.0], [10.3, 12.8]])  # the first on a cell's centre
CASES = [(cell_m, model, site) for cell_m, site in zip((90.0, 1500.0), SITES, strict=True) for model in MODELS]


def terrain(cell_m: float) -> Terrain:
    """24 x 24 cells: hills to the north, a plain in the south, a hole in the east."""
    row, col = np.mgrid[0:24, 0:24]
    hills_m = 150.0 * np.random.default_rng(3).random((24, 24)) * (row < 12)
    height_m = hills_m + 5.0 * np.sin(row / 3.0) + 0.2 * col
    height_m[9:12, 17:19] = np.nan
    return Terrain(height_m.astype(np.float32), cell_m)


def all_cells() -> NDArray[np.int32]:
    return np.argwhere(np.ones((24, 24), bool)).astype(np.int32)


def of_the_processor(cell_m: float, model: P1812, site: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, K) losses to all cells, unknown ones too [dB]."""
    loss_db = np.empty((24 * 24, 3))
    radial_losses(
        model, terrain(cell_m).height_m, cell_m, site[0], site[1], all_cells(), RAYS, RX_HEIGHT_M, TX_HEIGHT_M, FIRST,
        FREQUENCY_MHZ, loss_db,
    )  # fmt: skip
    return loss_db


# Run apart: the simulator, and plain Python in place of compiled code, are chosen before numba is imported.
SIMULATED = """
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location("cases", sys.argv[1])
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)
from phusong.coverage.cuda import radial_on
from phusong.coverage.errors import DeviceUnusable

bands = (cases.RX_HEIGHT_M, cases.TX_HEIGHT_M, cases.FIRST, cases.FREQUENCY_MHZ)
np.save(sys.argv[2], [
    radial_on("cuda", "radial", cases.terrain(cell_m), model).losses(site, cases.all_cells(), cases.RAYS, *bands)
    for cell_m, model, site in cases.CASES
])
radial = radial_on("cuda", "radial", cases.terrain(90.0), cases.MODELS[0])
nobody, alone = (radial.losses(cases.SITES[0], cases.all_cells()[:n], cases.RAYS, *bands) for n in (0, 1))
assert (nobody.shape, alone.shape) == ((0, 3), (1, 3))
for mode, model in (("exact", cases.MODELS[0]), ("radial", ("free-space",))):
    try:
        radial_on("cuda", mode, cases.terrain(90.0), model)
    except DeviceUnusable as refusal:
        print(refusal.where)
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[NDArray[np.float64], str]:
    """Losses of all cases in the simulator (case, receiver, band), and what the program printed."""
    result = tmp_path_factory.mktemp("cuda") / "losses.npy"
    answer = subprocess.run(
        [sys.executable, "-c", SIMULATED, str(Path(__file__).resolve()), str(result)],
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"},
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr
    return np.load(result), answer.stdout


@needs_numba_cuda
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{CASES[n][0]:g}m-p{CASES[n][1].time_pct:g}-{n}")
def test_losses_are_those_of_the_processor(simulated: tuple[NDArray[np.float64], str], number: int) -> None:
    loss_db = of_the_processor(*CASES[number])
    np.testing.assert_allclose(simulated[0][number], loss_db, rtol=0.0, atol=1e-9)
    behind_the_hole = np.isinf(loss_db).all(axis=1)
    assert np.array_equal(behind_the_hole, np.isinf(loss_db).any(axis=1))
    assert 6 < behind_the_hole.sum() < 100
    assert np.isnan(loss_db[~behind_the_hole, 2]).all()
    assert np.isfinite(loss_db[~behind_the_hole, :2]).all()


@needs_numba_cuda
def test_losses_on_a_gpu() -> None:
    try:
        check_device("cuda")
    except DeviceUnusable as fault:
        pytest.skip(fault.where)
    for cell_m, model, site in CASES:
        radial = radial_on("cuda", "radial", terrain(cell_m), model)
        assert radial is not None
        loss_db = radial.losses(site, all_cells(), RAYS, RX_HEIGHT_M, TX_HEIGHT_M, FIRST, FREQUENCY_MHZ)
        np.testing.assert_allclose(loss_db, of_the_processor(cell_m, model, site), rtol=0.0, atol=1e-6)


@needs_numba_cuda
def test_other_modes_and_models_are_refused(simulated: tuple[NDArray[np.float64], str]) -> None:
    assert simulated[1].splitlines() == ['device = "cuda", mode = "exact"', 'device = "cuda", model tuple']


COMPILED = """
import numba.cuda.dispatcher
from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib
from numba import boolean, cuda, float32, float64, int32, int64, void
from numba.cuda.compiler import compile_cuda

try:
    has_compiler = all(load_nvidia_dynamic_lib(name) for name in ("nvvm", "nvrtc"))
except DynamicLibNotFoundError:
    has_compiler = False

class Turing:
    compute_capability = (7, 5)

# Asked for by each function that is compiled; without a GPU there is no current device.
numba.cuda.dispatcher.get_current_device = lambda: Turing

from phusong.coverage.cuda.radial import _sample, _walk

raster, vector, table = float32[:, ::1], float64[::1], float64[:, ::1]
air = (float64, float64, float64, float64, boolean, boolean)
bands = (float64, vector, int64[::1], vector, vector)
for kernel, arguments in (
    (_sample, (raster, vector, table, int64[::1], vector, table, int32[::1])),
    (_walk, (raster, float64, int32[:, ::1], int32[::1], vector, table, int32[::1], *air, *bands, table, table)),
):
    compile_cuda(kernel.py_func, void, arguments, cc=Turing.compute_capability)
    if has_compiler:
        assert ".entry" in cuda.compile_ptx(kernel.py_func, arguments, cc=Turing.compute_capability)[0]
print("PTX" if has_compiler else "LLVM")
"""


@needs_numba_cuda
def test_kernels_are_code_for_a_gpu() -> None:
    """What runs in the simulator may still not compile; this needs no GPU, and goes on to PTX where NVVM is."""
    answer = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() in ("PTX", "LLVM")


def test_device_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert radial_on("cpu", "exact", terrain(90.0), MODELS[0]) is None
    with pytest.raises(DeviceUnusable, match=r"no device 'gpu'[\s\S]*choose one of cpu, cuda"):
        check_device("gpu")
    monkeypatch.setattr(phusong.coverage.cuda, "find_spec", lambda name: None)
    with pytest.raises(DeviceUnusable, match=r"not installed[\s\S]*phusong\[cuda\]"):
        check_device("cuda")


@needs_numba_cuda
def test_missing_gpu_is_said() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", "from phusong.coverage.cuda import check_device; check_device('cuda')"],
        capture_output=True,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "NUMBA_ENABLE_CUDASIM": "0"},
        timeout=300,
    )
    assert "DeviceUnusable: no GPU can be used" in answer.stderr or "compiler for the GPU" in answer.stderr
    assert 'or compute with device "cpu"' in answer.stderr
