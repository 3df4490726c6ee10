# Two commands from a fresh clone: `make demo` and `make test`. `make check` is what CI runs.
.PHONY: demo test check lint lock docs bench-ingest bench-queries bench-optimizer bench-redispatch
.DEFAULT_GOAL := demo

BIN := .venv/bin
WEB := $(shell find web -type f -not -path "web/node_modules/*" -not -name "openapi.d.ts" 2>/dev/null)

demo: .venv/.stamp api/static/index.html
	$(BIN)/binround demo

test: .venv/.stamp api/static/index.html tests/timescale/node_modules/.package-lock.json
	$(BIN)/pytest -q -n auto --dist loadfile

check: lint test
	BINROUND_ENGINES=ortools $(BIN)/pytest -q tests/unit/test_solve.py

lint: .venv/.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/.stamp: pyproject.toml constraints.txt tools/bootstrap.py
	python3 tools/bootstrap.py

# Without a console the API serves a page that says what to do, so this may fail.
api/static/index.html: $(WEB) hatch_build.py | .venv/.stamp
	-$(BIN)/python hatch_build.py

# Without it the tests on TimescaleDB skip, so this may fail.
tests/timescale/node_modules/.package-lock.json: tests/timescale/package-lock.json | .venv/.stamp
	-$(BIN)/python hatch_build.py tests/timescale

# Renews the lock: versions only, no addresses.
lock:
	UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --upgrade --universal --python-version 3.12 \
	  --no-header --no-annotate --group dev pyproject.toml -o constraints.txt

# Renews the parts of the documentation that come from the code.
docs: .venv/.stamp
	$(BIN)/python -m cli.documents
	$(BIN)/python -m api.describe > docs/openapi.json

# Measures the ingester beside its peers and writes docs/benchmarks/ingest.md; minutes.
bench-ingest: .venv/.stamp
	$(BIN)/uv pip install --quiet --constraint constraints.txt --group bench
	$(BIN)/python -m benchmarks.ingest

# Measures the queries that people wait for on a year of a city and writes docs/benchmarks/queries.md;
# an hour, SCALE=0.01 for a try. DSN names one more server, on which a database is made and dropped.
bench-queries: .venv/.stamp
	$(BIN)/python -m benchmarks.queries --scale $(or $(SCALE),1) $(if $(DSN),--dsn $(DSN))

# Measures the optimiser beside OR-Tools, PyVRP and VROOM and writes docs/benchmarks/optimizer.md;
# about four hours, QUICK=1 for half an hour. What was measured is not measured again. SET=kim,x,
# INSTANCE=, SOLVER=, SEEDS=3, BUDGET= (seconds) and DATA= (folder of the sets) choose;
# AGAIN=1 makes runs without a plan once more, KEPT=1 none: it writes the page about those made.
bench-optimizer: .venv/.stamp
	$(BIN)/uv pip install --quiet --constraint constraints.txt --group bench
	$(BIN)/python -m benchmarks.optimizer $(if $(SET),--set $(SET)) $(if $(INSTANCE),--instance $(INSTANCE)) \
	  $(if $(SOLVER),--solver $(SOLVER)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(BUDGET),--budget $(BUDGET)) \
	  $(if $(DATA),--data $(DATA)) $(if $(QUICK),--quick) \
	  $(if $(AGAIN),--again) $(if $(KEPT),--kept)

# Measures planning again during a 300-stop day and prints it; some minutes. EXTRACT names a city's
# .osm.pbf, else the day lies in a plane.
bench-redispatch: .venv/.stamp
	$(BIN)/python -m benchmarks.redispatch $(if $(EXTRACT),--extract $(EXTRACT))
