"""The radial mode on a GPU, for who asks for it: nothing here touches CUDA before that.

`numba-cuda` (extra `[cuda]`) compiles the functions that the processor runs for the GPU too; see `radial`.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from phusong.coverage.errors import DeviceUnusable
from phusong.coverage.surroundings import NOTHING_AROUND, Surroundings
from phusong.coverage.terrain import Terrain

if TYPE_CHECKING:
    from phusong.coverage.cuda.radial import CudaRadial

DEVICES = ("cpu", "cuda")


def check_device(device: str) -> None:
    """Raises DeviceUnusable unless `device`, "cpu" or "cuda", is here to compute on."""
    if device == "cpu":
        return
    if device not in DEVICES:
        raise DeviceUnusable(
            what=f"there is no device {device!r} to compute on",
            where="device",
            mend="choose one of " + ", ".join(DEVICES),
        )
    if find_spec("numba_cuda") is None:
        raise DeviceUnusable(
            what="the package that computes on a GPU is not installed",
            where='device = "cuda": no package numba-cuda',
            mend="install it with  pip install 'phusong[cuda]'  or compute with device \"cpu\"",
        )
    from numba import cuda

    if cuda.is_available():
        return
    fault = cuda.cuda_error()
    if fault is None:  # the driver is here, so that it is the compiler which is not
        raise DeviceUnusable(
            what="the compiler for the GPU is not installed",
            where='device = "cuda": no library libNVVM',
            mend="install it with  pip install 'phusong[cuda]'  or compute with device \"cpu\"",
        )
    raise DeviceUnusable(
        what="no GPU can be used",
        where='device = "cuda": ' + " ".join(str(fault).split()).rstrip(" :"),
        mend='install an NVIDIA GPU and its driver (nvidia-smi lists both), or compute with device "cpu"',
    )


def radial_on(
    device: str, mode: str, terrain: Terrain, model: Any, surroundings: Surroundings = NOTHING_AROUND
) -> CudaRadial | None:
    """What computes the losses of a map in the radial mode in the processor's place; None: the processor does.

    device : one of DEVICES;  mode, terrain, model : as of `sweep.signal_map`, model its parameters
    Raises DeviceUnusable where the device is not here, or cannot do what is asked of it.
    """
    check_device(device)
    if device == "cpu":
        return None
    if mode != "radial":
        raise DeviceUnusable(
            what="on a GPU only the radial mode is computed",
            where=f'device = "{device}", mode = "{mode}"',
            mend='choose mode "radial", or device "cpu"',
        )
    if surroundings.lowered_m > 0.0:
        raise DeviceUnusable(
            what="on a GPU the terrain is not lowered at the receiver",
            where=f'device = "{device}", lowered_m = {surroundings.lowered_m:g}',
            mend='choose another correction, or device "cpu"',
        )
    from phusong.coverage.cuda.radial import CudaRadial

    return CudaRadial(terrain, model)
