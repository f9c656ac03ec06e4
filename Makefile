# ivig-order-check. `make help` lists the targets; each sets up .venv by itself when needed.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test fuzz check format bench pages clean

PORT ?= 8000
VENV := .venv
PY   := $(VENV)/bin/python
IVIG := $(VENV)/bin/ivig
READY := $(VENV)/.ready
SAMPLES := $(sort $(filter-out %/bench.json %/hook-order-sign.json,$(wildcard service/ivig/samples/*.json)))

export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Colours only on a terminal that wants them.
ifneq ($(MAKE_TERMOUT),)
ifndef NO_COLOR
BOLD := $(shell printf '\033[1m')
RED  := $(shell printf '\033[31m')
DIM  := $(shell printf '\033[2m')
OFF  := $(shell printf '\033[0m')
endif
endif
say = @printf '%s\n' '$(BOLD)$(1)$(OFF)'

help: ## list the targets
	@printf '%s\n\n' 'ivig-order-check judges immune globulin orders: FHIR in, OperationOutcome out.'
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name does; do \
		printf '$(BOLD)%-14s$(OFF)%s\n' "$$name" "$$does"; done

setup: $(READY) ## make .venv and install everything into it

$(READY): pyproject.toml
	@python=; \
	for candidate in python3.11 python3 python3.12 python3.13 python3.14; do \
		if $$candidate -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			python=$$candidate; break; \
		fi; \
	done; \
	if [ -z "$$python" ]; then \
		printf '%s\n' '$(RED)This needs Python 3.11 or newer, with its venv module, and found none.$(OFF)' \
			"The python3 here is: $$(python3 --version 2>/dev/null || echo none)" \
			'Install Python 3.11 (on Debian and Ubuntu: python3.11 and python3.11-venv), then run make again.' >&2; \
		exit 1; \
	fi; \
	if ! $(PY) -m pip --version >/dev/null 2>&1 || \
			! $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		printf '%s\n' "$(DIM)Making $(VENV) with $$($$python --version 2>&1) ...$(OFF)"; \
		$$python -m venv --clear $(VENV) || exit 1; \
	fi; \
	printf '%s\n' '$(DIM)Installing what the service and its tests need; the first time takes about a minute ...$(OFF)'; \
	if ! $(PY) -m pip install --editable '.[dev]' >$(VENV)/setup.log 2>&1; then \
		grep -i 'error' $(VENV)/setup.log | tail -n 5 >&2; \
		printf '%s\n' '$(RED)pip could not install the packages.$(OFF)' \
			'If it cannot reach a package index: check the network, or name your own index in PIP_INDEX_URL.' \
			'Everything pip said is in $(VENV)/setup.log.' >&2; \
		exit 1; \
	fi
	@touch $@
	$(call say,Ready.)

# 1 (stop), 2 (cannot tell) and 4 (no order) are verdicts, not failures; 3 is an unreadable sample.
# The hooks take calls without a token here (IVIG_AUTH=off), so that they can be tried with curl.
run: $(READY) ## judge the sample orders here, then serve on 127.0.0.1 (PORT=8000)
	@$(IVIG) check $(SAMPLES) || case $$? in 1|2|4) ;; *) exit 1 ;; esac
	@printf '\n'
	$(call say,Serving on http://127.0.0.1:$(PORT)  (Ctrl-C ends it))
	@IVIG_AUTH="$${IVIG_AUTH-off}" exec $(IVIG) serve --host 127.0.0.1 --port $(PORT)

test: $(READY) ## run the tests (ARGS="-k dose" chooses some)
	@$(PY) -m pytest -q $(ARGS)

fuzz: $(READY) ## the fuzz tests in their long mode: 20,000 mutated requests
	@IVIG_FUZZ=20000 $(PY) -m pytest -q -m fuzz $(ARGS)

check: $(READY) ## format, lint, strict types, import contracts, knowledge, printed pages
	$(call say,format)
	@$(PY) -m ruff format --check --quiet . || { echo 'Run: make format'; exit 1; }
	$(call say,lint)
	@$(PY) -m ruff check --quiet .
	$(call say,types)
	@$(PY) -m mypy --no-error-summary
	$(call say,import contracts)
	@$(VENV)/bin/lint-imports --no-logo >$(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log; exit 1; }
	$(call say,knowledge)
	@$(IVIG) knowledge lint
	$(call say,printed pages)
	@$(PY) -m ivig.pages --check
	$(call say,All checks passed.)

format: $(READY) ## put the code into the house format
	@$(PY) -m ruff check --quiet --fix --exit-zero --select I .
	@$(PY) -m ruff format --quiet .

bench: $(READY) ## measure speed and memory; prints a table and writes build/bench.json
	@mkdir -p build
	@$(PY) tests/bench.py

pages: $(READY) ## print again what profiles/ takes from rules and knowledge
	@$(PY) -m ivig.pages

clean: ## remove what was built (keeps .venv)
	@rm -rf build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
	@find service tests -name __pycache__ -type d -prune -exec rm -rf {} +
