# Everything here makes its own set-up: only python3 (>= 3.11), pip, venv and make are needed.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench soak clean

.venv/core: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/dev: .venv/core
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/core
	$(BIN)/phusong demo

test: .venv/dev
	$(BIN)/python -m pytest -m "not soak" -n 2 --dist loadfile

soak: .venv/dev
	$(BIN)/python -m pytest -m soak

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=.typeroot $(BIN)/mypy

bench: .venv/dev
	$(BIN)/python -m benchmarks.table

clean:
	rm -rf .venv build dist *.egg-info
