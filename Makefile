# SPDX-License-Identifier: GPL-3.0-or-later
# Names for what is done by Python and Ansible under tests/ and playbooks/. Start here: make demo, make test.
SHELL := /bin/bash
PYTHON3 := $(firstword $(wildcard /usr/bin/python3) python3)
VENV := .venv
RUN := source $(VENV)/bin/activate &&
BOXES ?= 3
SCENARIO ?= default
CORE ?=
SANDBOX := $(PYTHON3) tests/sandbox/sandbox.py

.PHONY: help demo test check unit lint docs matrix artifact molecule setup sandbox sandbox-down conformance bench-fleet bench-assess bench-fetch bench-backup bench-scale bench-transport clean sanity lock sbom coverage mutation

help:  ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup:  ## everything the other targets need: packages, .venv
	@$(PYTHON3) tests/tools/environment.py

demo: setup  ## the main job on three sandbox boxes, from nothing to the table of results
	@$(RUN) python tests/tools/demo.py

test: setup  ## everything that CI runs
	@$(RUN) python tests/tools/run_tests.py all

check: setup  ## lint and unit tests, minutes
	@$(RUN) python tests/tools/run_tests.py lint unit

lint: setup
	@$(RUN) python tests/tools/run_tests.py lint

unit: setup
	@$(RUN) python tests/tools/run_tests.py unit

docs: setup  ## the documentation: reference from the code, every page, links checked; build/docs/index.html
	@$(RUN) python tests/tools/run_tests.py docs

coverage: setup  ## what the unit tests reach, branches included; text, and build/coverage/html
	@$(RUN) python tests/tools/coverage_report.py

mutation: setup  ## does a test fail when a line is made wrong? MUTATION='--share 10 tree routes'; build/mutation.txt
	@$(RUN) nice -n 10 python tests/tools/mutation.py $(MUTATION)

matrix: setup  ## every ansible-core against boxes with every Python, and the box side's unit tests on these; table into docs/reference
	@$(RUN) JEEDOM_TEST_JOBS=1 python tests/tools/run_tests.py unit_old matrix_full

sanity: setup  ## ansible-test sanity under every supported ansible-core
	@$(RUN) python tests/tools/sanity.py $(SANITY)

lock: setup  ## the newest versions that tests/requirements.txt and docs/requirements.txt allow, with their hashes, into *.lock
	@$(RUN) python tests/tools/lock.py

sbom: setup  ## what the collection is made of, as CycloneDX; build/sbom.cdx.json
	@$(RUN) python tests/tools/sbom.py

artifact: setup  ## build the collection, install it outside the clone, use it on a box
	@$(RUN) python tests/tools/run_tests.py artifact

molecule: setup  ## one molecule scenario: SCENARIO=name
	@$(RUN) python tests/tools/run_tests.py molecule:$(SCENARIO)

sandbox: setup  ## a fleet to play with: BOXES=n [CORE=/path/to/git/directory/of/jeedom/core]
	@$(SANDBOX) up --boxes $(BOXES) $(if $(CORE),--core $(CORE))

sandbox-down:  ## remove the sandbox without a trace
	@$(SANDBOX) down

conformance: setup  ## the statements about a core: [CORE=/path/to/git/directory/of/jeedom/core]
	@$(RUN) python -m pytest tests/conformance -q $(if $(CORE),--core $(CORE))

bench-fleet: setup  ## a fleet against a plain playbook: BENCH='--boxes 1,4,8 --forks 5,50'
	@$(RUN) python tests/bench/fleet.py $(BENCH)

bench-assess: setup  ## a look at a fleet against one setup task: BENCH='--boxes 16'
	@$(RUN) python tests/bench/assess.py $(BENCH)

bench-fetch: setup  ## ways to bring an archive here, and its proof: BENCH='--size 1024 --runs 3'
	@$(RUN) python tests/bench/fetch.py $(BENCH)

bench-backup: setup  ## what the level of compression costs and gives: BENCH='--levels 1,6,9'
	@$(RUN) python tests/bench/backup.py $(BENCH)

bench-scale: setup  ## what a large fleet costs the controller: report, waves, Ansible itself: BENCH='--boxes 500,10000'
	@$(RUN) python tests/bench/controller.py $(BENCH)

bench-transport: setup  ## calls over stdin beside ordinary modules: BENCH='--calls 20 --runs 5'
	@$(RUN) python tests/bench/transport.py $(BENCH)

clean:  ## remove what was made in the clone
	@rm -rf .venv .cache .nox artifacts build tests/output
