# Thin: the work is in .ci/install (what must be there) and in manage.py (what there is to do).
MAKEFLAGS += --no-print-directory
PY := .venv/bin/python

.PHONY: run test check bench screenshots lock clean

run:            ## install what is missing, then run the console until Ctrl-C
	@.ci/install
	@exec $(PY) manage.py up

test:           ## everything: the fast checks, then all tests, in a browser too
	@.ci/install dev browser
	@.ci/check
	@$(PY) -m pytest -n auto --dist worksteal $(ARGS)

check:          ## the fast half: format, lint, types, imports, settings, migrations
	@.ci/install dev
	@.ci/check

bench:          ## measure, one JSON object a line
	@.ci/install dev browser
	@$(PY) -m tests.bench $(ARGS)

screenshots:    ## every page in light, dark and 390 px into docs/screenshots/
	@.ci/install dev browser
	@$(PY) -m tests.screenshots $(ARGS)

lock:           ## renew requirements*.txt from requirements*.in
	@.ci/install dev
	@.ci/lock

clean:          ## remove what was installed and cached; var/ with its data stays
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
