# SPDX-License-Identifier: Apache-2.0
# Everything is done by tests/tools (Python, standard library only); this file only names the commands.

PYTHON ?= python3
TOOLS = $(PYTHON) -B -m tests.tools

.DEFAULT_GOAL := help
.PHONY: help check test test-all accept format docs pictures demo demo-down demo-images demo-images-down demo-backup demo-backup-down demo-migration demo-migration-down demo-docs build pins clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 28

check: ## the inner loop: lint, types, unit tests, layer rules (below 90 s)
	@$(TOOLS) check $(if $(S),--suite $(S))

test: ## everything, as continuous integration runs it; S=unit runs one suite, L=core-2.19 one leg
	@$(TOOLS) test $(if $(S),--suite $(S)) $(if $(L),--leg $(L))

test-all: ## the full fault matrices and the benches as well
	@SCS_FULL=1 $(TOOLS) test $(if $(S),--suite $(S)) $(if $(L),--leg $(L))

accept: ## each acceptance id, its test, and how it went last time
	@$(TOOLS) accept

format: ## let ruff format and mend the Python files in place
	@$(TOOLS) format

docs: ## check the documentation of plugins and roles
	@$(TOOLS) test --suite docs

pictures: ## render the pictures of the SCS lab
	@$(TOOLS) pictures

demo: ## see it work: 13 machines on this one, deployed; as root. Run it twice
	@$(TOOLS) demo

demo-down: ## end the machines of the demo
	@$(TOOLS) demo-down

demo-images: ## a real Glance, and a catalogue of images offered there; as root. Run it twice
	@$(TOOLS) demo-images

demo-images-down: ## end the services of demo-images
	@$(TOOLS) demo-images-down

demo-backup: ## servers backed up, deleted, and made again byte for byte, by a plain member; as root. Run it twice
	@$(TOOLS) demo-backup

demo-backup-down: ## end the services of demo-backup
	@$(TOOLS) demo-backup-down

demo-migration: ## machines of an ESXi become servers of a cloud, every byte compared; as root. Run it twice
	@$(TOOLS) demo-migration

demo-migration-down: ## end both ends of demo-migration
	@$(TOOLS) demo-migration-down

demo-docs: ## the SCS lab validated and documented; needs no machines
	@$(TOOLS) demo-docs

build: ## build the collection's tarball into dist/
	@$(TOOLS) build

pins: ## resolve the test requirements anew and write their lock files
	@$(TOOLS) pins

clean: ## forget this checkout's staged copies and results; ALL=1 empties the whole cache
	@$(TOOLS) clean $(if $(ALL),--all)
