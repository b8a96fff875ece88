"""Propagation models by name.

A model is a NamedTuple of its parameters and one compiled point kernel, in a module of its own:

    class Walnut(NamedTuple):
        effective_radius_km: float = 8500.0

    @propagation_model("walnut", Walnut)
    @njit(cache=True, nogil=True)
    def loss(model, ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db) -> None: ...

Importing that module in `propagation/__init__.py` makes it known. The type of the parameters chooses the kernel when
the sweep is compiled: a run compiles the model it uses and no other, and numba's cache on disk holds one sweep per
model (it would hold none if the kernel were passed as a function). One limit of that cache: it watches the file of
the outermost kernel only, so an edited model is seen by the sweep after `sweep.py` is touched or the cache deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from phusong.coverage.errors import UnknownModel

Kernel = TypeVar("Kernel")

_PARAMETERS: dict[str, type[Any]] = {}
_NEVER_BELOW_FREE_SPACE: set[type[Any]] = set()


def path_loss_db(
    model: Any,
    ground_m: NDArray[np.float64],
    step_m: float,
    tx_height_m: float,
    rx_height_m: float,
    frequency_mhz: NDArray[np.float64],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes the basic transmission loss [dB] of one path, one value a frequency. Callable from compiled code only.

    model         : a model's parameters; their type chooses the kernel
    ground_m      : (n,) heights above sea [m], equally spaced, transmitter first, receiver last, n >= 2, no NaN;
                    (n = 2 with step 0 where the two stand at the same place)
    step_m        : distance between two points [m]
    tx_height_m, rx_height_m : antennas above ground [m], above zero
    frequency_mhz : (F,)
    loss_db       : (F,) written
    """
    # Only a name for numba: inside compiled code each model's overload stands in its place, plain Python has none.
    raise NotImplementedError


def propagation_model(
    name: str, parameters: type[Any], *, never_below_free_space: bool = False
) -> Callable[[Kernel], Kernel]:
    """Makes a point kernel known under a name, and to the sweep under the type of its parameters.

    never_below_free_space : the loss is at least free space's on every path, so that a sweep may leave out cells
                             which free space alone puts out of reach
    """

    def add(kernel: Kernel) -> Kernel:
        # numba reads the arguments' names and gives their types itself, so both functions stay unannotated.
        def choose(model, ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db):  # type: ignore[no-untyped-def]
            if getattr(model, "instance_class", None) is not parameters:
                return None

            def chosen(model, ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db):  # type: ignore[no-untyped-def]
                kernel(model, ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db)  # type: ignore[operator]

            return chosen

        overload(path_loss_db)(choose)
        _PARAMETERS[name] = parameters
        if never_below_free_space:
            _NEVER_BELOW_FREE_SPACE.add(parameters)
        return kernel

    return add


def model_names() -> tuple[str, ...]:
    """Names of the known models, in the order they were added."""
    return tuple(_PARAMETERS)


def never_below_free_space(model: Any) -> bool:
    """Whether a model's loss, given its parameters, is at least free space's on every path."""
    return type(model) in _NEVER_BELOW_FREE_SPACE


def resolve_model(model: Any) -> Any:
    """Parameters of a model: those given, or the defaults of the model of that name.

    Raises UnknownModel for a name that no model has, or for parameters of none.
    """
    if type(model) in _PARAMETERS.values():
        return model
    if isinstance(model, str) and model in _PARAMETERS:
        return _PARAMETERS[model]()
    near = get_close_matches(str(model), _PARAMETERS, n=1)
    raise UnknownModel(
        what=f"no propagation model is called {model!r}",
        where="propagation model",
        mend=f"did you mean {near[0]!r}?" if near else "choose one of " + ", ".join(_PARAMETERS),
    )
