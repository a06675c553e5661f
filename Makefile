# The README's two commands are `make run` and `make test`. All targets use the environment in .venv.
SHELL := /bin/sh
PY := .venv/bin/python
export PYTHONUTF8 := 1

.PHONY: setup setup-for-tests lock run test test-long test-peer test-pythons test-installers lint coverage bench freeze \
  package wheel screenshots docs

setup:
	@sh installers/environment.sh

lock: setup
	@for name in runtime dev; do \
	  group=; [ $$name = dev ] && group="--group dev"; \
	  .tools/bin/python -m uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	    --upgrade pyproject.toml $$group --output-file requirements/$$name.lock || exit 1; \
	done
	@.tools/bin/python -m uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	  --upgrade requirements/bootstrap.in --output-file requirements/bootstrap.lock

# With a display the window opens; without one the same journey is driven through it, with a screenshot of each step.
run: setup
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] || [ "$$(uname -s)" = Darwin ]; then \
	  $(PY) -m launchpad.desktop; \
	else \
	  rm -rf build/journey; \
	  LAUNCHPAD_DATA_DIR="$$PWD/build/journey" $(PY) -m launchpad.desktop.journey --screenshots screenshots \
	    --slides resources/sample tests/data/slides; \
	fi

lint: setup
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -c 'import sys; from importlinter.cli import lint_imports_command; sys.argv[0] = "lint-imports"; lint_imports_command()'

# First of all, so that who is not root has one line to type.
setup-for-tests:
	@sh installers/environment.sh test

# Files in their order: by the number of their tests, the long ones that hold few would come last, one at a time.
test: setup-for-tests lint
	@$(PY) -m pytest -m "not long" -n 2 --dist loadfile --no-loadscope-reorder

test-long: setup-for-tests lint freeze
	@$(PY) -m pytest

# The old SDK, unchanged, in an environment of its own under build/peer, against the embedded platform. Wants the network
# once, to make that environment.
test-peer: setup
	@sh tests/peer/environment.sh
	@PEER_PYTHON="$$PWD/build/peer/bin/python" $(PY) -m pytest tests/peer

coverage: setup
	@rm -f .coverage .coverage.*
	@COVERAGE_PROCESS_START=pyproject.toml $(PY) -m coverage run -m pytest -m "not long" || exit 1
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report --omit 'app/launchpad/desktop/*'
	@$(PY) -m coverage report --include 'app/launchpad/desktop/*'

bench: setup
	@$(PY) benchmarks/first_window.py
	@$(PY) benchmarks/desktop.py
	@$(PY) benchmarks/analysis.py resources/sample/CMU-1-Small-Region.svs

# The help that ships with the application: wheel and bundle take it from resources/help.
docs: setup
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --quiet --strict --site-dir resources/help

# The same sources give the same bytes: times are those of the last commit, and sets have one order.
docs freeze wheel package: export SOURCE_DATE_EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),1767225600)
freeze package: export PYTHONHASHSEED := 0

freeze: docs
	@sh installers/environment.sh freeze
	@$(PY) -m PyInstaller --noconfirm --log-level WARN --distpath dist --workpath build/pyinstaller build.spec
	@dist/launchpad/launchpad self-test

wheel: docs
	@mkdir -p dist
	@$(PY) -m hatchling build --target wheel

# Wheel, .deb, .rpm, AppDir and tar.xz from one bundle, with a list of what is in it, all in dist.
package: freeze wheel
	@sh installers/environment.sh package
	@$(PY) installers/linux/package.py
	@$(PY) installers/release/bill_of_materials.py dist dist/launchpad
	@$(PY) installers/sizes.py dist/launchpad dist/pathology-launchpad_*.deb

# All systems' own checks, to the end; the summary says what failed and what this machine cannot check.
test-installers: package
	@sh installers/test_all.sh

# The unit and contract tests on every other Python that this machine has. None found is an error, not a pass.
# `make test-pythons SYSTEM=trixie` takes that Debian's Python, in a pristine system of its own (as root).
test-pythons: setup
	@sh installers/test_pythons.sh $(SYSTEM)

screenshots: setup
	@$(PY) -m launchpad.desktop.journey --screenshots docs/screenshots --theme light
	@$(PY) -m launchpad.desktop.journey --screenshots docs/screenshots --theme dark
	@$(PY) docs/gallery.py docs/screenshots
