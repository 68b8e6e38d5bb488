# Everything is done in .venv, with the versions of constraints.txt.
.PHONY: help check compat demo test lint docs release bench bench-peers figures figures-all papers full-runs demo-page lowest zoo larger clean
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
NPM := tests/serve/node_modules/.installed
# TensorFlow has no wheels for Python 3.14: the tests that need it are skipped there.
DEV = $(shell $(BIN)/python -c "import sys; print('dev' if sys.version_info >= (3, 14) else 'dev,train')")
export BOXLESS_DATA ?= $(abspath ../shared/data)

help:
	@echo "make demo   install, and locate the object in a picture"
	@echo "make check  check style and types and run the core tests: about a minute, for while you work"
	@echo "make test   run all tests         make lint   check style and types"
	@echo "make lowest  run the tests with the lowest versions of what boxless depends on"
	@echo "make docs   make the site of the documentation      make demo-page  with a page that runs a model (needs npm)"
	@echo "make release  build what is published into dist/, and try the wheel in an empty environment"
	@echo "make bench  measure speed         make zoo    build the embedded model anew (needs torch)"
	@echo "make figures-all  run every benchmark whose code has changed since, then make figures"
	@echo "make figures  write the tables of README and docs anew from benchmarks/results"
	@echo "make papers  measure the papers' claims again with small networks; about an hour and a half on two cores"
	@echo "make full-runs  the papers' claims in full, on a GPU; stopped after LIMIT minutes, it goes on the next time"
	@echo "make larger  build a larger model into models/ (needs torch)"
	@echo "make compat  try to attach to every classifier of Keras (needs tensorflow)"
	@echo "make bench-peers  measure other class activation maps beside (needs torch and TensorFlow, 8 GB)"

demo: $(BIN)/.run
	@mkdir -p .demo
	@$(BIN)/boxless locate examples/pictures/coffee.jpg --save .demo
	@echo "The drawn image: .demo/coffee_found.jpg"

# What an image, a map and a result are; without frameworks, services and browsers.
CORE = tests/imaging tests/maps tests/models tests/system tests/datasets tests/test_imports.py tests/test_results.py \
	tests/test_localizer.py tests/test_multi_scale.py tests/test_golden.py
check: lint
	$(BIN)/pytest --quiet --numprocesses auto --dist worksteal $(CORE)

test: $(BIN)/.develop $(NPM)
	$(BIN)/pytest --numprocesses auto --dist worksteal --durations 25

# What runs the model in browsers, and what looks at the page: without them their tests are skipped.
$(NPM): tests/serve/package.json
	@if command -v npm >/dev/null; then \
	  echo "Fetching what the page is tested with into tests/serve/node_modules, once (150 MB) ..."; \
	  npm install --silent --no-package-lock --ignore-scripts --prefix tests/serve && touch $@ || \
	  echo "npm failed: tests of the page without a server will be skipped"; \
	else echo "There is no npm: tests of the page without a server will be skipped"; fi

lint: $(BIN)/.develop
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff

# All tests, with the lowest versions that pyproject.toml allows; pip cannot choose those, uv can.
lowest: .venv-lowest/.installed
	.venv-lowest/bin/pytest --numprocesses auto --dist worksteal

.venv-lowest/.installed: pyproject.toml
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/pip install --quiet --disable-pip-version-check uv
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct \
		--editable '.[dev,train,cloud,supervision]'
	@touch $@

# The notebooks of the tutorial are run. Nothing is fetched; a warning, such as of a link that leads nowhere, is an error.
docs: $(BIN)/.docs
	$(BIN)/python -m sphinx -q -W --keep-going -j auto -b html docs docs/_build/html
	@echo "The site: docs/_build/html/index.html"

# The site with the page without a server in it, to be looked at over HTTP.
demo-page: $(NPM) docs
	@test -d docs/_build/html/demo || { echo "No demonstration: it needs onnxruntime-web, which npm fetches"; exit 1; }
	@echo "The demonstration: $(BIN)/python -m http.server -d docs/_build/html 8080, http://127.0.0.1:8080/demo/"

$(BIN)/.docs: $(BIN)/.run
	$(PIP) --editable '.[docs,train]'
	@touch $@

release: $(BIN)/.release
	$(BIN)/python -m tools.release
	$(BIN)/python -m tools.try_wheel dist/*.whl

$(BIN)/.release: $(BIN)/.run
	$(PIP) --editable '.[release]'
	@touch $@

# Other people's class activation maps on the same weights; only this and tools/store_peer_maps.py need them.
bench-peers: .venv-peers/.installed
	.venv-peers/bin/python -m benchmarks.peers

.venv-peers/.installed: benchmarks/requirements-peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet -r benchmarks/requirements-peers.txt
	.venv-peers/bin/pip install --quiet --no-deps openvino_xai==1.1.0
	.venv-peers/bin/pip install --quiet --no-deps --editable .
	@touch $@

bench: $(BIN)/.develop
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.localization

# The tables of README and docs, from benchmarks/results, and the picture of the rooms.
figures: $(BIN)/.develop
	$(BIN)/python -m benchmarks.readme
	$(BIN)/python -m benchmarks.frontier
	$(BIN)/python -m tools.architecture

# Every benchmark that docs quote and whose code has changed since, for hours; a stopped run goes on. ONLY="speed serve".
figures-all: $(BIN)/.develop .venv-peers/.installed
	$(BIN)/python -m benchmarks.figures_all $(ONLY)
	$(MAKE) figures

# The papers' claims, at a small scale; $(BIN)/python -m papers --help says how to run one, or at another scale.
papers: $(BIN)/.develop
	for name in nin-heads translation confidence-maps gap-gmp; do $(BIN)/python -m papers $$name || exit 1; done

# Every experiment in full, on the machine's GPU. Carry the folder full-runs to another machine, and it goes on there.
LIMIT ?= 25
full-runs: $(BIN)/.develop
	$(BIN)/python -m tools.full_runs --limit $(LIMIT)

# The model files in src/boxless/models/zoo; only this needs torch.
zoo: .venv-zoo/.installed
	.venv-zoo/bin/python -m tools.build_zoo

# EfficientNet-Lite2 into models/; what it gives says docs/decisions/0059-a-larger-network-beside.md.
larger: .venv-zoo/.installed
	.venv-zoo/bin/python -m tools.build_zoo efficientnet-lite2

.venv-zoo/.installed: tools/requirements-zoo.txt
	$(PYTHON) -m venv .venv-zoo
	.venv-zoo/bin/pip install --quiet -r tools/requirements-zoo.txt
	.venv-zoo/bin/pip install --quiet --no-deps --editable .
	@touch $@

# The table of docs/compatibility.md; only this and the tests of exporters need keras and torch.
compat:
	$(PYTHON) -m venv .venv-frameworks
	.venv-frameworks/bin/pip install --quiet -r tools/requirements-frameworks.txt
	.venv-frameworks/bin/pip install --quiet --no-deps --editable .
	.venv-frameworks/bin/python -m tools.compat
	.venv-frameworks/bin/python -m pytest -W ignore tests/export/test_portable.py
	.venv-frameworks/bin/python -m benchmarks.attach

clean:
	rm -rf $(VENV) .venv-lowest .venv-zoo .venv-peers .venv-frameworks .demo dist docs/_build tests/serve/node_modules

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV)

$(BIN)/.run: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing boxless and what it needs into $(VENV), once (400 MB; minutes) ..."
	@$(PIP) --editable .
	@touch $@

$(BIN)/.develop: $(BIN)/.run
	@echo "Installing what tests need into $(VENV), once (3 GB; minutes) ..."
	@$(PIP) --editable '.[$(DEV)]'
	@touch $@
