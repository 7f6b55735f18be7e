# `make` or `make help` lists what can be made.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.core
STAMP := $(VENV)/.complete
WORKERS ?= 3
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-annotate --no-header --group build

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo setup setup-system test check golden prove bench train samples sample lock clean

help: ## List the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  %-14s %s\n' "$$name" "$$text"; done

demo: $(CORE) ## See it work: set up, replay the sample clips, show their cases in a browser (ARGS=--help lists more)
	@$(BIN)/stopline demo $(ARGS)

$(CORE): requirements.lock pyproject.toml deploy/setup_venv.sh
	@deploy/setup_venv.sh "$(PYTHON)" $(VENV) requirements.lock
	@touch $@

setup: $(STAMP) ## Build .venv with the stopline command and the test tools (PYTHON=python3.12 chooses the Python)

$(STAMP): requirements-dev.lock pyproject.toml deploy/setup_venv.sh
	@deploy/setup_venv.sh "$(PYTHON)" $(VENV) requirements-dev.lock
	@touch $@ $(CORE)

setup-system: ## Install the Debian packages that some tests need (as root; otherwise say what is left out)
	@deploy/setup_system.sh

test: setup setup-system check ## Set up, check, and run every test (WORKERS=1 in one process, one after the other)
	$(BIN)/pytest $(if $(filter-out 1,$(WORKERS)),--numprocesses $(WORKERS) --no-loadscope-reorder)

check: setup ## Check format, lint, types, import contracts and house rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q tests/architecture

golden: setup ## Write the golden files anew; review their diff before you commit it
	$(BIN)/pytest --golden
	@git status --short -- tests/golden

prove: setup ## Run the proof NAME=... at full size into benchmarks/proofs/NAME.json; without NAME list the proofs
	@$(BIN)/python -m benchmarks.prove $(NAME)

bench: setup ## Compare speed and events with decoding alone, ultralytics and supervision (which it fetches; ARGS=--help lists more)
	@venv="$${STOPLINE_CACHE:-$$HOME/.cache/stopline}/bench-venv"; lock=benchmarks/requirements-peers.lock; \
	cmp -s $$lock "$$venv/requirements.lock" || { $(PYTHON) -m venv --clear "$$venv" && \
	"$$venv/bin/pip" install -q --require-hashes -r $$lock && cp $$lock "$$venv/requirements.lock"; } && \
	$(BIN)/python -m benchmarks.bench $(ARGS)

samples: setup ## Render the sample clips that are missing, at low priority; an interrupted run is resumed (NAMES="..." chooses)
	@$(BIN)/pip install --quiet --editable '.[samples]'
	@$(BIN)/python -m sample_videos.make $(NAMES)

sample: setup ## Render a fresh junction clip of SEED=n with its site file and truth into out/sample/
	@$(BIN)/pip install --quiet --editable '.[samples]'
	@$(BIN)/python -m sample_videos.make --seed $(SEED)

train: setup ## Train the default detector, or go on where it was interrupted (fetches torch; low priority; ends with Ctrl-C)
	@venv="$${STOPLINE_CACHE:-$$HOME/.cache/stopline}/train-venv"; \
	test -x "$$venv/bin/torchrun" || { $(PYTHON) -m venv "$$venv" && "$$venv/bin/pip" install -q torch==2.13.0 -e '.[train]'; }; \
	$(BIN)/pip install --quiet --editable '.[samples]' && $(BIN)/python -m models.training.rendered && \
	OMP_WAIT_POLICY=PASSIVE nice -n 19 "$$venv/bin/python" -m models.training.train

lock: ## Resolve pyproject.toml into the hashed locks (needs uv; UPGRADE=1 also takes newer releases)
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml -o requirements.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(filter-out --group build,$(COMPILE)) $(if $(UPGRADE),--upgrade) benchmarks/requirements-peers.in -o benchmarks/requirements-peers.lock

clean: ## Remove .venv, caches and build leftovers
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
