# `make` lists the targets. The steps behind them are in .ci/steps.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 10s
export FUZZTIME
# The release of Go that go.mod names, also where a machine is set to its own (GOTOOLCHAIN=local).
export GOTOOLCHAIN := $(shell sed -n 's/^toolchain //p' go.mod)

.PHONY: help run build web test check vuln lint fmt docs fuzz bench soak lab clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve this machine alone, at http://localhost:8080
	go run ./cmd/parley

build: ## build the release binary ./parley (static, stripped)
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o parley ./cmd/parley
	@ls -l parley | awk '{ printf "parley: %.1f MB\n", $$5 / 1e6 }'

web: ## build the web app and the SDK into web/dist
	cd web && npm ci --no-audit --no-fund && npm run build

test: ## everything: install what is missing, linters, Go with the race detector, web, browsers
	@bash .ci/steps install web_dist web_check web_test tidy vuln lint go_cross go_32bit go_race e2e

check: ## the fast part: linters, Go tests without the race detector, web checks and unit tests
	@bash .ci/steps lint go_short web_check web_test

vuln: ## look for known holes in what is built here: Go's vulnerability database, npm audit
	@bash .ci/steps vuln

lint: ## the Go linters
	@bash .ci/steps lint

fmt: ## format Go and web sources
	@bash .ci/steps format

docs: ## write the generated parts of docs/operations.md anew
	go test ./cmd/parley -run TestOperationsGuide -update

fuzz: ## run each fuzz target for FUZZTIME (10s)
	@bash .ci/steps fuzz

SCENARIOS = CGO_ENABLED=0 go build -ldflags "-X main.version=$(VERSION)" -o artifacts/ ./cmd/parley ./internal/loadgen/cmd/stock && \
	go run ./internal/loadgen/cmd/scenarios -parley artifacts/parley -stock artifacts/stock

bench: ## measure the server (about 35 min) and write the table of docs/performance.md; QUICK=1: 6 min, print only
	$(SCENARIOS) $(if $(QUICK),-rounds 1 -seconds 2 -growth 1.6,-out docs/performance.md) $(BENCHFLAGS)

soak: ## ten minutes of steady load: memory must be flat, counters must add up; writes docs/performance.md
	$(SCENARIOS) -planes batched -soak 10m -out docs/performance.md $(BENCHFLAGS)

lab: ## measure the picture in browsers over a bad network (root; about 6 min); SIDE=down STEPS=rate500 SECONDS=10: one step, quickly
	node web/e2e/measure/lab.mjs $(foreach v,SIDE STEPS SECONDS SEED CONTENT VIEWER JOINS WRITE,$(if $($(v)),"$(v)=$($(v))"))

bwe: ## print how the bandwidth estimator does in simulated networks (SEED=1)
	go run ./sfu/internal/bwesim/cmd/bwe -seed $(or $(SEED),1)

clean: ## remove what was built, but not web/dist, which is committed
	rm -rf parley artifacts .ci/bin
