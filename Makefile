# `make demo` and `make test` do all the set-up on a fresh machine, then their work.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready-$(shell cksum < pyproject.toml | cut -d' ' -f1)
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test test-slow test-torch test-s3 test-browser lint types unit format golden bench clean

demo: $(READY)
	$(BIN)/python examples/demo.py

test: lint types unit

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/pytest -q -n 2 --dist loadgroup

test-slow: $(READY)
	$(BIN)/pytest -q -n 2 --dist loadgroup -m slow

test-torch: $(READY)
	$(BIN)/python -m pip install --quiet 'torch==2.13.0' # 200 MB and more, so not part of every run
	$(BIN)/pytest -q -m torch tests/integrations/torch tests/examples

test-s3: $(READY)
	$(BIN)/python -m pip install --quiet 'moto[server]' s3fs # a server and a client of S3, so not part of every run
	$(BIN)/pytest -q -m slow tests/storage/test_s3.py

test-browser: $(READY)
	$(BIN)/pytest -q -m browser tests/browser # in Debian's Chromium: apt-get install chromium

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

golden: $(READY)
	$(BIN)/python tests/golden/test_golden.py
	$(BIN)/python tests/golden/test_schedulers.py

bench: $(READY)
	$(BIN)/python bench/overhead.py
	$(BIN)/python bench/storage.py
	$(BIN)/python bench/workers.py
	$(BIN)/python bench/faults.py
	$(BIN)/python bench/load.py
	$(BIN)/python bench/decisions.py
	$(BIN)/python bench/dashboard.py

$(READY):
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@rm -f .venv/ready-*
	@touch $@

clean:
	rm -rf .venv
