"""The yardstick: a fixed computation that says how fast this machine is today."""

import numpy as np


def test_yardstick(benchmark):
    values = np.random.default_rng(1).random(1_000_000)
    benchmark(lambda: np.sort(values).cumsum()[-1])
