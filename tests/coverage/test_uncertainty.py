"""Probability of service against closed forms, against scipy's quadrature, and against dice."""

from __future__ import annotations

from math import hypot, inf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from phusong.coverage.errors import ValueOutOfRange
from phusong.coverage.link import fade_margin_db
from phusong.coverage.uncertainty import level_exceeded_dbm, place_probability, service_probability

MODEL, LOCATION = 7.0, 5.5


def probability(hamlets: list[list[tuple]], model: float = MODEL, location: float = LOCATION):
    """hamlets: groups (margins, weights or None for a spot, share)."""
    groups = [g for hamlet in hamlets for g in hamlet]
    weights = [np.ones(1) if w is None else np.asarray(w, float) for _, w, _ in groups]
    return service_probability(
        np.concatenate([np.asarray(m, float) for m, _, _ in groups] or [np.empty(0)]),
        np.concatenate([*weights, np.empty(0)]),
        np.cumsum([0, *(len(w) for w in weights)]),
        [share * w.sum() for (_, _, share), w in zip(groups, weights, strict=True)],
        [w is None for _, w, _ in groups],
        np.cumsum([0, *(len(h) for h in hamlets)]),
        model_sigma_db=model,
        location_sigma_db=location,
    )


def by_quadrature(hamlet: list[tuple], model: float, location: float) -> float:
    """The definition, term by term, with scipy's adaptive integral and root."""
    least, spots = -10.0 * model, []
    for margins, weights, share in hamlet:
        m = np.asarray(margins, float)
        if weights is None:
            spots.append(m[0])
            continue
        w = np.asarray(weights, float) / np.sum(weights)

        def lacking(e, m=m, w=w, share=share):
            return float(w @ norm.cdf((m + e) / location)) - share

        if lacking(10 * model) < 0:
            return 0.0
        if lacking(-10 * model) < 0:
            least = max(least, brentq(lacking, -10 * model, 10 * model, xtol=1e-13))
    breaks = sorted({min(max(-s, least), 10 * model) for s in spots})

    def integrand(e):
        return norm.pdf(e, scale=model) * np.prod([norm.cdf((s + e) / location) for s in spots])

    return quad(integrand, least, 10 * model, points=breaks or None, epsabs=1e-11, limit=500)[0]


def test_p10_p50_p90_lie_where_the_normal_law_puts_them() -> None:
    median = np.array([[-95.0, np.nan], [-110.0, -60.0]])
    p10, p50, p90 = (level_exceeded_dbm(median, q, MODEL, LOCATION) for q in (0.1, 0.5, 0.9))
    assert np.array_equal(p50, median, equal_nan=True)
    spread = 1.2815515655446004 * hypot(MODEL, LOCATION)
    np.testing.assert_allclose(p90, median - spread, atol=1e-9)
    np.testing.assert_allclose(p10 + p90, 2 * median, atol=1e-9)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_a_place_at_the_planning_margin_has_service_with_the_planning_confidence(confidence: float) -> None:
    margin = fade_margin_db(confidence, MODEL, LOCATION)
    assert place_probability(margin, MODEL, LOCATION) == pytest.approx(confidence, abs=1e-12)
    one = probability([[([margin], None, 1.0)]])
    assert one.cleared[0] == one.centre[0] == pytest.approx(confidence, abs=1e-9)


@pytest.mark.parametrize(("model", "location"), [(7.0, 5.5), (8.0, 0.05), (0.1, 9.0), (3.0, 1e-4), (6.0, 20.0)])
@pytest.mark.parametrize("seed", range(4))
def test_the_integral_is_that_of_an_independent_quadrature(model: float, location: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    hamlets = []
    for _ in range(6):
        groups: list[tuple] = [([rng.normal(4, 9)], None, 1.0)]
        for _ in range(rng.integers(0, 4)):
            cells = rng.integers(1, 12)
            groups.append((rng.normal(4, 9, cells), rng.integers(1, 40, cells), rng.choice([0.5, 0.8, 0.95])))
        hamlets.append(groups)
    got = probability(hamlets, model, location).cleared
    np.testing.assert_allclose(got, [by_quadrature(h, model, location) for h in hamlets], atol=1e-6)


def test_spots_of_several_operators_share_the_common_error() -> None:
    """Both served: two normals correlated by the common error; far from the product of the two."""
    a, b = 3.0, -1.0
    got = probability([[([a], None, 1.0), ([b], None, 1.0)]]).cleared[0]
    common = MODEL**2
    both = multivariate_normal([0, 0], [[common + LOCATION**2, common], [common, common + LOCATION**2]])
    assert got == pytest.approx(both.cdf([a, b]), abs=1e-6)
    assert got > place_probability(a, MODEL, LOCATION) * place_probability(b, MODEL, LOCATION) + 0.09


def test_dice_agree() -> None:
    rng = np.random.default_rng(7)
    centre, margins, weights = 2.0, np.array([6.0, 1.0, -3.0, 8.0]), np.array([30, 10, 25, 5])
    throws = 40_000
    e = rng.normal(0, MODEL, throws)
    spot = centre + e + rng.normal(0, LOCATION, throws) >= 0
    places = 400  # of each cell
    share = np.zeros(throws)
    for m, w in zip(margins, weights, strict=True):
        share += w * rng.binomial(places, norm.cdf((m + e) / LOCATION)) / places
    frequency = np.mean(spot & (share >= 0.8 * weights.sum()))
    got = probability([[([centre], None, 1.0), (margins, weights, 0.8)]]).cleared[0]
    assert got == pytest.approx(frequency, abs=4 * sqrt(0.25 / throws))


def test_without_location_variability_cells_are_served_together_or_not() -> None:
    """Perfect correlation: the hamlet is served exactly when the cell that completes the share is."""
    hamlet = [([5.0], None, 1.0), ([9.0, 2.0, -4.0], [10, 10, 10], 0.6)]
    got = probability([hamlet], MODEL, 0.0)
    assert got.centre[0] == pytest.approx(norm.cdf(5.0 / MODEL), abs=1e-9)
    assert got.cleared[0] == pytest.approx(norm.cdf(2.0 / MODEL), abs=1e-9)
    near = probability([hamlet], MODEL, 1e-4)
    assert near.cleared[0] == pytest.approx(got.cleared[0], abs=1e-4)
    everyone = probability([[([9.0, 2.0, -4.0], [10, 10, 10], 1.0)]], MODEL, 0.0)
    assert everyone.cleared[0] == pytest.approx(norm.cdf(-4.0 / MODEL), abs=1e-9)


def test_without_model_error_the_share_is_its_expectation() -> None:
    margin = LOCATION * norm.ppf(0.8)
    met, missed = ([[([1.0], None, 1.0), ([margin + d] * 3, [5, 5, 5], 0.8)]] for d in (1e-9, -1e-6))
    assert probability(met, 0.0).cleared[0] == pytest.approx(norm.cdf(1.0 / LOCATION), abs=1e-12)
    assert probability(missed, 0.0).cleared[0] == 0.0
    assert probability(missed, 0.0).centre[0] == pytest.approx(norm.cdf(1.0 / LOCATION), abs=1e-12)


def test_with_neither_error_the_margin_decides() -> None:
    got = probability([[([m], None, 1.0), ([m, -1.0], [8, 2], 0.8)] for m in (0.0, -0.1)], 0.0, 0.0)
    assert got.cleared.tolist() == got.centre.tolist() == [1.0, 0.0]
    assert place_probability([0.0, -0.1, np.nan], 0.0, 0.0).tolist() == [1.0, 0.0, 0.0]


def test_no_signal_is_no_service_whatever_the_error() -> None:
    silent = [[([m], None, 1.0)] for m in (np.nan, -inf)]
    half_heard = [[([30.0], None, 1.0), ([30.0, np.nan], [1, 1], 0.8)], [([30.0, np.nan], [9, 1], 0.8)]]
    got = probability([*silent, *half_heard]).cleared
    assert got[:3].tolist() == [0.0, 0.0, 0.0]
    assert got[3] > 0.95
    assert place_probability(-inf, MODEL, LOCATION) == 0.0


@pytest.mark.parametrize("model", [MODEL, 0.0])
def test_all_places_are_never_served_while_places_vary(model: float) -> None:
    assert probability([[([60.0, 60.0], [1, 1], 1.0)]], model).cleared[0] == 0.0


def test_a_hamlet_that_asks_for_nothing_is_served() -> None:
    assert probability([[], [([-99.0], None, 1.0)]]).cleared.tolist() == [1.0, pytest.approx(0.0, abs=1e-20)]
    assert len(probability([]).cleared) == 0


margins = st.floats(-40, 40)


@settings(max_examples=60, deadline=None)
@given(margins, st.lists(st.tuples(margins, st.integers(1, 50)), min_size=1, max_size=6), st.floats(0, 10))
def test_a_better_signal_or_one_duty_less_never_lowers_the_probability(centre, cells, more) -> None:
    m, w = np.array([c[0] for c in cells]), [c[1] for c in cells]
    plain, louder, duty_less = probability(
        [
            [([centre], None, 1.0), (m, w, 0.8)],
            [([centre + more], None, 1.0), (m + more, w, 0.8)],
            [([centre], None, 1.0)],
        ]
    ).cleared
    assert 0.0 <= plain <= louder + 1e-9 <= 1.0 + 2e-9
    assert plain <= duty_less + 1e-9


@pytest.mark.parametrize(
    "wrong",
    [
        {"model_sigma_db": -1.0},
        {"location_sigma_db": np.nan},
        {"group_spot": [True]},
        {"weight": [1.0, 0.0]},
        {"hamlet_indptr": [0, 2]},
        {"group_indptr": [0, 1]},
    ],
)
def test_what_does_not_fit_is_refused(wrong: dict) -> None:
    right = {
        "margin_db": [1.0, 2.0], "weight": [1.0, 1.0], "group_indptr": [0, 2], "group_need": [1.6],
        "group_spot": [False], "hamlet_indptr": [0, 1], "model_sigma_db": 7.0, "location_sigma_db": 5.0,
    }  # fmt: skip
    service_probability(**right)
    with pytest.raises(ValueOutOfRange):
        service_probability(**{**right, **wrong})
