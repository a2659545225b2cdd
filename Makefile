# make demo   the desk on a generated house (all set-up included)
# make test   the whole suite on real PostgreSQL (all set-up included)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests start the program hundreds of times: compiled modules are kept, also where the machine's setting says not to.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-long lint venv bench chaos lock licences wheel dist clean screenshot keys pictures

demo: venv
	@$(BIN)/dpolg-tui demo

# Four at a time, a file each: every worker has PostgreSQL servers of its own, and much of a test is waiting.
test: venv
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

test-long: venv
	$(BIN)/python -m pytest -n 2 -m long

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
# What is missing on Windows and macOS; each with a cache of its own, or all would be read anew every time.
	$(BIN)/mypy --platform win32 --no-warn-unreachable --cache-dir .mypy_cache/win32
	$(BIN)/mypy --platform darwin --no-warn-unreachable --cache-dir .mypy_cache/darwin
	$(BIN)/lint-imports
	$(BIN)/shellcheck tools/server/*.sh tests/server/*.sh .ci/run

bench: venv
	$(BIN)/python tools/bench

chaos: venv
	$(BIN)/python tools/chaos

screenshot: venv
	$(BIN)/python tools/screenshot docs/screenshot.svg

# After a change of the registry of actions, too.
keys: venv
	$(BIN)/python tools/keys.py docs/tasten.md docs/tasten.html

# The pictures of docs/handbuch.md.
pictures: venv
	$(BIN)/python tools/screenshot docs/pictures --manual

venv: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

# Rewrites the lock: every version and hash, no registry address.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-header \
	  --python-version 3.11 --extra dev --no-emit-package dpolg-tui pyproject.toml -o requirements.lock

# After a change of dependencies, too.
licences: venv
	$(BIN)/python tools/licences.py docs/licences.md

wheel: venv
	$(BIN)/python -m hatchling build -t wheel

# What a release consists of: wheel and source distribution.
dist: venv
	$(BIN)/python -m hatchling build

clean:
	rm -rf $(VENV) dist build
