"""Propagation models by name.

A model is a NamedTuple of its parameters and one compiled point kernel, in a module of its own:

    class Walnut(NamedTuple):
        effective_radius_km: float = 8500.0

    @propagation_model("walnut", Walnut, source="Forest Service Paper 12 (2020)")
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
from math import inf
from typing import Any, TypeVar

import numpy as np
from numba.extending import overload
from numpy.typing import ArrayLike, NDArray

from phusong.coverage.errors import UnknownModel

Kernel = TypeVar("Kernel")
Check = Callable[[Any, ArrayLike, ArrayLike, float], None]

_PARAMETERS: dict[str, type[Any]] = {}
_UNDER_FREE_SPACE_DB: dict[type[Any], Callable[[Any], float]] = {}
_RAY_MODELS: set[type[Any]] = set()
_CHECKS: dict[type[Any], Check] = {}
_SOURCES: dict[type[Any], str] = {}
_SPECIAL_CASES: dict[type[Any], tuple[type[Any], Callable[[Any], bool]]] = {}


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


def ray_losses_db(
    model: Any,
    ray_m: NDArray[np.float64],
    step_m: float,
    points: NDArray[np.int32],
    distance_m: NDArray[np.float64],
    ground_m: NDArray[np.float64],
    rx_height_m: float,
    tx_height_m: NDArray[np.float64],
    first: NDArray[np.int64],
    frequency_mhz: NDArray[np.float64],
    index: NDArray[np.int32],
    loss_db: NDArray[np.float64],
) -> None:
    """Writes the losses [dB] to receivers along a ray. Callable from compiled code only.

    ray_m         : (n + 1,) heights above sea at 0, 1 .. n - 1 steps, then room for one more [m]
    step_m        : distance between two of them [m]
    points        : (P,) how many of them the profile of each receiver takes, at least 1, never decreasing; its last
                    point is the receiver's own
    distance_m    : (P,) distance of each receiver, beyond those points, never decreasing [m]
    ground_m      : (P,) height above sea there [m]
    rx_height_m   : receivers above ground [m]
    tx_height_m   : (A,) antennas above ground [m]; frequency_mhz[first[a] : first[a + 1]] (K,) are the bands on each
    loss_db       : (N, K) written at the rows index (P,)
    A model without a kernel for rays is given each profile stretched to equal steps.
    """
    # Like `path_loss_db`, only a name.
    raise NotImplementedError


def ray_model(parameters: type[Any]) -> Callable[[Kernel], Kernel]:
    """Gives a model that `propagation_model` has made known a kernel of its own for `ray_losses_db`."""

    def add(kernel: Kernel) -> Kernel:
        # As in `_give_kernel` numba reads names and types itself, so that nothing below is annotated.
        def choose(  # type: ignore[no-untyped-def]
            model,
            ray_m,
            step_m,
            points,
            distance_m,
            ground_m,
            rx_height_m,
            tx_height_m,
            first,
            frequency_mhz,
            index,
            loss_db,
        ):
            if getattr(model, "instance_class", None) is not parameters:
                return None

            def chosen(  # type: ignore[no-untyped-def]
                model,
                ray_m,
                step_m,
                points,
                distance_m,
                ground_m,
                rx_height_m,
                tx_height_m,
                first,
                frequency_mhz,
                index,
                loss_db,
            ):
                kernel(  # type: ignore[operator]
                    model,
                    ray_m,
                    step_m,
                    points,
                    distance_m,
                    ground_m,
                    rx_height_m,
                    tx_height_m,
                    first,
                    frequency_mhz,
                    index,
                    loss_db,
                )

            return chosen

        overload(ray_losses_db)(choose)
        _RAY_MODELS.add(parameters)
        return kernel

    return add


@overload(ray_losses_db)
def _stretched_losses_db(  # type: ignore[no-untyped-def]
    model, ray_m, step_m, points, distance_m, ground_m, rx_height_m, tx_height_m, first, frequency_mhz, index, loss_db
):
    if getattr(model, "instance_class", None) in _RAY_MODELS:
        return None

    def stretched(  # type: ignore[no-untyped-def]
        model,
        ray_m,
        step_m,
        points,
        distance_m,
        ground_m,
        rx_height_m,
        tx_height_m,
        first,
        frequency_mhz,
        index,
        loss_db,
    ):
        for j in range(points.size):
            last = points[j]
            beyond_m = ray_m[last]
            ray_m[last] = ground_m[j]
            for a in range(tx_height_m.size):
                bands = slice(first[a], first[a + 1])
                path_loss_db(
                    model,
                    ray_m[: last + 1],
                    distance_m[j] / last,
                    tx_height_m[a],
                    rx_height_m,
                    frequency_mhz[bands],
                    loss_db[index[j], bands],
                )
            ray_m[last] = beyond_m

    return stretched


def propagation_model(
    name: str,
    parameters: type[Any],
    *,
    source: str,
    never_below_free_space: bool = False,
    under_free_space_db: Callable[[Any], float] | None = None,
    check: Check | None = None,
) -> Callable[[Kernel], Kernel]:
    """Makes a point kernel known under a name, and to the sweep under the type of its parameters.

    source                 : document and edition, as results print it
    never_below_free_space : the loss is at least free space's on every path, so that a sweep may leave out cells
                             which free space alone puts out of reach
    under_free_space_db    : the same for a model that may lie a little lower: by how much at most, of its parameters
    check                  : check(model, frequency_mhz, tx_height_m, rx_height_m) raises ValueOutOfRange where the
                             model can say nothing on any path; its kernel gives NaN there
    """

    def add(kernel: Kernel) -> Kernel:
        _give_kernel(parameters, kernel)
        _PARAMETERS[name] = parameters
        _SOURCES[parameters] = source
        if never_below_free_space:
            _UNDER_FREE_SPACE_DB[parameters] = lambda _: 0.0
        elif under_free_space_db is not None:
            _UNDER_FREE_SPACE_DB[parameters] = under_free_space_db
        if check is not None:
            _CHECKS[parameters] = check
        return kernel

    return add


def _give_kernel(parameters: type[Any], kernel: Any) -> None:
    # numba reads the arguments' names and gives their types itself, so both functions stay unannotated.
    def choose(model, ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db):  # type: ignore[no-untyped-def]
        if getattr(model, "instance_class", None) is not parameters:
            return None

        def chosen(model, ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db):  # type: ignore[no-untyped-def]
            kernel(model, ground_m, step_m, tx_height_m, rx_height_m, frequency_mhz, loss_db)

        return chosen

    overload(path_loss_db)(choose)


def special_case(
    parameters: type[Any], special: type[Any], applies: Callable[[Any], bool]
) -> Callable[[Kernel], Kernel]:
    """Gives a kernel of its own to those models of `parameters` that `applies` is true of.

    special : a type with the same fields, which stands for them where a kernel is chosen (`specialised`): what is not
              needed there is not compiled
    """

    def add(kernel: Kernel) -> Kernel:
        _give_kernel(special, kernel)
        _SPECIAL_CASES[parameters] = (special, applies)
        return kernel

    return add


def specialised(model: Any) -> Any:
    """A model's parameters in the type whose kernel has the least to compile. Losses are the same."""
    if type(model) not in _SPECIAL_CASES:
        return model
    special, applies = _SPECIAL_CASES[type(model)]
    return special(*model) if applies(model) else model


def model_names() -> tuple[str, ...]:
    """Names of the known models, in the order they were added."""
    return tuple(_PARAMETERS)


def model_source(model: Any) -> str:
    """Document and edition of a model, given its name or parameters."""
    return _SOURCES[type(resolve_model(model))]


def under_free_space_db(model: Any) -> float:
    """How far below free space's a model's loss, given its parameters, may lie on any path [dB]; inf: nobody knows."""
    bound = _UNDER_FREE_SPACE_DB.get(type(model))
    return inf if bound is None else bound(model)


def check_model(model: Any, frequency_mhz: ArrayLike, tx_height_m: ArrayLike, rx_height_m: float) -> None:
    """Checks parameters, frequencies and antenna heights against a model's range, before a run.

    model         : a model's parameters, as `resolve_model` gives them
    frequency_mhz : all frequencies of the run [MHz]
    tx_height_m   : all heights of its antennas above ground [m]
    rx_height_m   : receiver above ground [m]
    Raises ValueOutOfRange. A model that names no range takes all.
    """
    if type(model) in _CHECKS:
        _CHECKS[type(model)](model, frequency_mhz, tx_height_m, rx_height_m)


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
