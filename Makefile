# The commands of README.md. All of them run in .venv, made from the lock with nothing but python3 and make.

PYTHON ?= python3
CORES ?= all
FIGURE ?=
STAMP := .venv/.installed
GALLERY := neos_3 neos_toys thesis_7_22 split_n_fit_3_right contrastive_flows_table_2 tomatos_annealing

IN_VENV := PATH="$(CURDIR)/.venv/bin:$$PATH"

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install figures quick test test-slurm lint docs lock clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1\t\2/p' Makefile | expand -t 16
	@echo
	@echo "variables: FIGURE=neos_3 (one figure, document or study; all), CORES=4 (cores; all),"
	@echo "           PYTHON=python3.12 (interpreter of .venv; python3)"

install: $(STAMP)  ## make .venv from envs/requirements.lock; the other commands do it when needed

figures: $(STAMP)  ## build every figure, the claims and results/report.html, or FIGURE; continues where it stopped
	$(IN_VENV) snakemake $(FIGURE) --cores $(CORES)

quick: $(STAMP)  ## the same at small scale in minutes, under results/quick
	$(IN_VENV) snakemake $(FIGURE) --cores $(CORES) --configfile config/scales/quick.yaml

test: $(STAMP)  ## run the whole test suite, one process a core
	$(IN_VENV) pytest --numprocesses auto --dist loadgroup --no-loadscope-reorder

test-slurm: $(STAMP)  ## submit a document to a SLURM of one node, started for it (as root, on Debian or Ubuntu)
	@tests/slurm/install
	$(IN_VENV) pytest -m slurm -rs tests/slurm

lint: $(STAMP)  ## check style and workflow
	$(IN_VENV) ruff check
	$(IN_VENV) ruff format --check
	$(IN_VENV) lint-imports --no-cache
	$(IN_VENV) snakefmt --check Snakefile workflow
	$(IN_VENV) snakemake --lint

docs: $(STAMP)  ## copy results that README.md shows to docs/, and write the tables of config/README.md
	@mkdir -p docs
	cp results/claims.md results/benchmarks.md docs/
	.venv/bin/python -c 'import os, sys; from PIL import Image; \
		[Image.open(path).reduce(2).quantize(128).save(f"docs/{os.path.basename(path)}", optimize=True) \
		for path in sys.argv[1:]]' $(GALLERY:%=results/figures/%.png)
	.venv/bin/python -m diffhep.pipeline.settings_reference

lock:  ## resolve the environment anew (needs uv; UPGRADE=--upgrade to take newer versions)
	uv pip compile $(UPGRADE) pyproject.toml --all-extras --universal --generate-hashes --no-annotate \
		--python-version 3.11 --quiet --custom-compile-command "make lock" -o envs/requirements.lock

clean:  ## remove quick results and caches; results of figures and .venv stay
	rm -rf results/quick .cache .hypothesis .pytest_cache .ruff_cache

# The stamp is removed first and made last: a .venv without it is half made, and is made anew.
$(STAMP): envs/requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || { \
		echo "diffhep needs Python 3.11, 3.12 or 3.13 with venv; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | head -n 1)." >&2; \
		echo "Name another (make PYTHON=python3.12 ...), or install venv (Debian, Ubuntu: apt install python3-venv)." >&2; \
		exit 1; }
	@echo "installing into .venv (a minute or two)"
	@test -f $@ || $(PYTHON) -m venv --clear .venv
	@rm -f $@
	@.venv/bin/python -m pip install --quiet --require-hashes -r envs/requirements.lock
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@
