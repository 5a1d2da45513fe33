# Everything sets itself up: Python 3.11 or newer and make are all it takes.
#
#   make demo     a private market with people in it; ARGS="--scale small" and the like are passed on
#   make test     format, lint, types, architecture and all tests, on real servers

PYTHON ?= python3
ARGS ?=

UV := .cache/boot/bin/uv
BIN := .venv/bin
RUN := .venv/.run-is-installed
DEV := .venv/.dev-is-installed
BUILD_BIN := .cache/binary/venv/bin
BUILD := .cache/binary/venv/.is-installed
ROOMS := shared_models server client_tui migrations bench deploy tests
CODE := $(wildcard $(ROOMS))
EXPORT := --quiet --format requirements-txt --no-emit-project --no-header
# What runs elsewhere than here has all that a setting can ask for.
EXPORT_RUN := $(EXPORT) --no-dev --extra traces

# Byte code makes every start about a second faster.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV
export UV_PYTHON_DOWNLOADS := never

# Where the system has its own certificates, they count, as they do for pip.
export UV_SYSTEM_CERTS := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)

.DEFAULT_GOAL := help
.PHONY: help model faults fleet demo test lint format snapshots pictures keys settings contract \
	bench capacity pins clean binary test-binary

help:  ## list what can be made
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(if $(wildcard $(DEV)),$(DEV),$(RUN))  ## run a private market with people in it
	@$(BIN)/picky demo $(ARGS)

test: lint  ## check everything
	$(BIN)/python -m pytest -n 4 --dist worksteal $(ARGS)

lint: $(DEV)  ## check format, style, types and architecture only
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-cache

format: $(DEV)  ## format the code and mend what can be mended
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

snapshots: $(DEV)  ## draw the pictures of the app anew; look at each before committing it
	$(BIN)/python -m pytest tests/snapshots --snapshot-update $(ARGS)

pictures: $(DEV)  ## draw the README's picture anew from the demo market
	$(BIN)/python docs/draw_pictures.py

model: $(DEV)  ## let Hypothesis cut sockets, lose hints and crash nodes, and look for what breaks
	MODEL_SEED=$${MODEL_SEED:-$$(date +%s)} MODEL_EXAMPLES=$${MODEL_EXAMPLES:-5000} \
		$(BIN)/python -m pytest -q -n 2 tests/realtime/model $(ARGS)

faults: $(DEV)  ## kill servers and the bus, cut lines, fill disks; ARGS="--minutes 10"
	$(BIN)/python -m tests.faults $(ARGS)

fleet: $(DEV)  ## kill, pause and restart every part of a fleet in turn; ARGS="--rounds 3"
	$(BIN)/python -m tests.deploy $(ARGS)

binary: $(BUILD)  ## build the local server as one file: dist/picky-server
	$(BUILD_BIN)/pyinstaller --noconfirm --log-level WARN --distpath dist \
		--workpath .cache/binary/work deploy/binary/picky-server.spec

test-binary: $(DEV) binary  ## build the one file and do the main job and the demo with it
	$(BIN)/python -m pytest tests/binary $(ARGS)

keys: $(DEV)  ## write the page of keys anew from the registry
	$(BIN)/python -m client_tui.keys_page > docs/keys.md

settings: $(DEV)  ## write the page of settings anew from the code
	$(BIN)/python -m server.app.settings_page > docs/settings.md

contract: $(DEV)  ## freeze the contract as it is now; look at the diff before committing it
	$(BIN)/python -m tests.server.contract.freeze

bench: $(DEV)  ## measure; ARGS are passed on
	$(BIN)/python -m bench $(ARGS)

capacity: $(DEV)  ## write the page of what a number of users needs anew from what was measured
	$(BIN)/python -m bench.capacity > docs/capacity.md

pins: $(UV)  ## choose the newest versions that fit and write their hashes to requirements/
	$(UV) lock --upgrade
	$(UV) export $(EXPORT_RUN) --output-file requirements/run.txt
	$(UV) export $(EXPORT) --output-file requirements/dev.txt
	$(UV) export $(EXPORT_RUN) --group binary --output-file requirements/binary.txt
	printf 'uv\nhatchling\neditables\n' | $(UV) pip compile - --quiet --universal \
		--python-version 3.11 --generate-hashes --no-header --output-file requirements/boot.txt
	@echo 'images are pinned by hand; look for newer tags of these:'
	@sed -nE 's/^(FROM|COPY --from=| +image:) ?([a-z/-]+:v?[0-9][^ ]*).*/  \2/p' \
		deploy/Dockerfile deploy/compose*.yaml | sort --unique

clean:  ## remove what make made
	rm -rf .venv .cache dist

# The development environment holds everything the application needs, so it serves for both.
$(DEV): INSTALL = dev
$(RUN): INSTALL = run
$(DEV) $(RUN): .venv/.%-is-installed: requirements/%.txt pyproject.toml $(UV)
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) .venv
	@echo 'installing requirements/$(INSTALL).txt'
	@$(UV) pip sync --quiet --require-hashes --compile-bytecode $<
	@$(UV) pip install --quiet --no-deps --build-constraint requirements/boot.txt --editable .
	@touch $@

# PyInstaller has an environment of its own: the one file holds nothing that only tests need.
$(BUILD): requirements/binary.txt pyproject.toml $(UV)
	@test -x $(BUILD_BIN)/python || $(UV) venv --quiet --python $(PYTHON) .cache/binary/venv
	@echo 'installing requirements/binary.txt'
	@$(UV) pip sync --quiet --require-hashes --python $(BUILD_BIN)/python $<
	@$(UV) pip install --quiet --no-deps --build-constraint requirements/boot.txt \
		--python $(BUILD_BIN)/python --editable .
	@touch $@

$(UV): requirements/boot.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Picky needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv .cache/boot
	@.cache/boot/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
