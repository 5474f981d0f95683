# `make run` and `make test` do all the set-up on a fresh machine with Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data

.PHONY: run test test-browser screenshots lint format bench bench-alerts evaluate train clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: $(VENV)/installed  ## start the worker on the fictional sample company
	@$(BIN)/sentiment init --sample sample
	@$(BIN)/sentiment run --config sample/config.toml

test: $(VENV)/installed  ## all tests; no network but loopback
	$(BIN)/pytest

# In CI a missing browser is a failure; elsewhere it is said and left out.
test-browser: $(VENV)/installed  ## the pages in real headless Chromium, with axe-core
	@if tests/browser/prepare.sh; then \
	    $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]' && \
	    $(BIN)/pytest tests/browser; \
	else test -z "$$CI"; fi

screenshots: $(VENV)/installed  ## the README's pictures, of the sample company
	tests/browser/prepare.sh
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]'
	$(BIN)/python docs/screenshots.py

lint: $(VENV)/installed  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/installed
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

bench: $(VENV)/installed  ## throughput beside transformers' pipeline; replay if DATA is there
	$(BIN)/python benchmarks/throughput.py
	@if [ -d "$(DATA)" ]; then $(BIN)/python benchmarks/replay.py --data "$(DATA)"; \
	else echo "no folder $(DATA): the replay of real streams is left out (make bench DATA=...)"; fi

bench-alerts: $(VENV)/installed  ## false alarms and delay of the alerts, beside other rules
	$(BIN)/pip install --quiet --disable-pip-version-check numba river
	$(BIN)/python -m benchmarks.alerts

evaluate: $(VENV)/installed  ## the bundled model on all shared sets; written into its card
	$(BIN)/python -m models.training.evaluate --data "$(DATA)" --card models/bundled/README.md

clean:
	rm -rf $(VENV) sample .mypy_cache .ruff_cache .pytest_cache
