PYTHON ?= python3
PORT ?= 8000
SITE := {{cookiecutter.project_slug}}

CODE := hooks demo tests benchmarks

.PHONY: help demo test test-faults test-security test-stack bench bench-quick lint format lock clean

# Show what can be made
help:
	@awk '/^# /{text=substr($$0,3)} /^[a-z-]+:/{split($$1,name,":"); if (text) printf "  make %-13s %s\n", name[1], text} !/^# /{text=""}' $(MAKEFILE_LIST)

# Generate a site into build/ and serve it, with an account to sign in; PORT=8123 chooses the port
demo:
	@exec $(PYTHON) demo/run.py --port '$(PORT)'

# Test the template, and a site generated from it; REQUIRE_ALL=1 fails where a part is left out
test: build/tests/installed build/site-tests/installed
	SITE_PYTHON='$(CURDIR)/build/site-tests/bin/python' build/tests/bin/python -m pytest

# Cause the faults that the site survives, in place; FAULTS_SECONDS and the like make it shorter
test-faults: export PYTHONDONTWRITEBYTECODE = 1
test-faults: build/site-tests/installed
	$(MAKE) -C '$(SITE)' test-faults PYTHON='$(CURDIR)/build/site-tests/bin/python'

# Attack the site, in place; SECURITY_FRAMES says how many frames and tokens it must refuse
test-security: export PYTHONDONTWRITEBYTECODE = 1
test-security: build/site-tests/installed
	$(MAKE) -C '$(SITE)' test-security PYTHON='$(CURDIR)/build/site-tests/bin/python'

# Start the site in containers, break, restore and replace them; STACK_SECONDS and the like make it shorter
test-stack: export PYTHONDONTWRITEBYTECODE = 1
test-stack: build/site-tests/installed
	$(MAKE) --no-print-directory -C '$(SITE)' test-stack PYTHON='$(CURDIR)/build/site-tests/bin/python'

# Measure a generated site beside its peers; prints the table and writes benchmarks/RESULTS.md
bench: export PYTHONPYCACHEPREFIX = $(CURDIR)/build/bench/pycache
bench: build/bench/tools/installed
	@exec build/bench/tools/bin/python -m benchmarks

# The same, only the essential rows and only once; writes nothing
bench-quick: export PYTHONPYCACHEPREFIX = $(CURDIR)/build/bench/pycache
bench-quick: build/bench/tools/installed
	@exec build/bench/tools/bin/python -m benchmarks --quick

# Check style and types of the template and, in place, of the site; changes nothing
lint: export PYTHONDONTWRITEBYTECODE = 1
lint: build/tests/installed build/site-tests/installed
	build/tests/bin/ruff check $(CODE)
	build/tests/bin/ruff format --check $(CODE)
	build/tests/bin/mypy hooks demo/run.py tests benchmarks
	build/tests/bin/zizmor --offline --no-progress --quiet .github/workflows
	$(MAKE) -C '$(SITE)' lint PYTHON='$(CURDIR)/build/site-tests/bin/python'

# Put the template's Python files into the house style
format: build/tests/installed
	build/tests/bin/ruff check --fix $(CODE)
	build/tests/bin/ruff format $(CODE)

# Lock the root's requirements again, with hashes and without the address of an index
lock: build/tests/installed
	for set in requirements tests/requirements $(basename $(wildcard benchmarks/requirements/*.in)); do \
		build/tests/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
			--no-header --python-version 3.11 $$set.in --output-file $$set.txt || exit 1; \
	done

# Remove everything that was made here, the demo with its data too
clean:
	rm -rf build

build/tests/installed: tests/requirements.txt
build/site-tests/installed: $(SITE)/requirements/dev.txt
build/bench/tools/installed: benchmarks/requirements/tools.txt
build/tests/installed build/site-tests/installed build/bench/tools/installed:
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r '$<'
	touch $@
