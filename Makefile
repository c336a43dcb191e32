# berth's verbs. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export BERTH_BIN_DIR ?= /opt/berth/bin
# What hack/install.sh put there comes first, for make's children as for the node.
export PATH := $(BERTH_BIN_DIR):$(PATH)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)
GO_BUILD := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
RUNNER := go run ./test/runner
ROUNDS ?= 10
# What the sample service of make up runs as: EC2 or FARGATE.
LAUNCH_TYPE ?= EC2

.PHONY: help
help: ## list the verbs
	@awk -F':.*## ' '/^[a-z0-9]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: ## install what is missing, build, start the region, run a sample service on LAUNCH_TYPE=EC2 or FARGATE (root)
	@hack/install.sh run
	@$(MAKE) --no-print-directory build
	@bin/berth up --sample --launch-type $(LAUNCH_TYPE)

.PHONY: down
down: ## stop the region and remove everything of it: containers, network, data (root)
	@if [ -x bin/berth ]; then bin/berth down --purge; else echo "nothing was built, so nothing runs"; fi

.PHONY: build
build: ## build bin/berth and the sample's program
	@$(GO_BUILD) -o bin/berth ./cmd/berth
	@$(GO_BUILD) -o bin/sampleweb ./cmd/sampleweb

.PHONY: test
test: ## run every test, as root, within the budget of test/budget.txt
	@hack/install.sh test
	@$(MAKE) --no-print-directory build
	@$(RUNNER) -budget test/budget.txt

.PHONY: unit
unit: ## run the tests that need neither root nor a network (2 minutes)
	@$(RUNNER) -budget test/budget.txt -groups unit

.PHONY: nightly
nightly: ## run the long tests: race detector, fault matrices, fuzzers, a bare machine (root, two hours)
	@hack/install.sh test
	@$(MAKE) --no-print-directory build
	@$(RUNNER) -budget test/nightly.txt
	@hack/fuzz.sh 60s
	@$(MAKE) --no-print-directory cold

.PHONY: cold
cold: ## install, start and stop a region in a clean root file system (root)
	@hack/install.sh cold
	@hack/cold.sh up

.PHONY: lint
lint: ## run golangci-lint with .golangci.yml
	@hack/install.sh lint
	@golangci-lint run ./...

.PHONY: generate
generate: ## write the generated code and documents again; check that nothing changed is CI's part of it
	@go generate ./...

.PHONY: check
check: ## what a change must pass: formatting, vet, lint, generated files, every test
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "check: run gofmt -w on these files" >&2; exit 1; }
	@go vet ./...
	@$(MAKE) --no-print-directory lint
	@hack/generated.sh
	@$(MAKE) --no-print-directory test

.PHONY: e2e
e2e: ## run the tests on the real kernel and containerd only (root)
	@hack/install.sh test
	@$(MAKE) --no-print-directory build
	@$(RUNNER) -budget test/budget.txt -groups node,docs

.PHONY: fuzz
fuzz: ## run every fuzzer for a minute
	@hack/fuzz.sh 60s

.PHONY: bench
bench: ## measure berth beside its peers and print the ratios (root)
	@hack/install.sh bench
	@$(MAKE) --no-print-directory build
	@for b in test/bench/*/main.go; do b=$${b%/main.go}; echo "== $${b##*/}"; go run ./$$b; done

.PHONY: crash
crash: ## kill the region's processes at random moments and at each failpoint, ROUNDS=10 times each (root)
	@hack/install.sh test
	@$(MAKE) --no-print-directory build
	@BERTH_TEST_ROUNDS=$(ROUNDS) BERTH_TEST_POINTS=$(ROUNDS) go test -count=1 -timeout 0 -v ./test/crash/...

.PHONY: chaos
chaos: ## kill processes and cut links of a region of six machines, ROUNDS=10 times (root)
	@hack/install.sh test
	@$(MAKE) --no-print-directory build
	@BERTH_TEST_ROUNDS=$(ROUNDS) go test -count=1 -timeout 0 -v ./test/chaos/...

.PHONY: install
install: ## install the tools of a region into /opt/berth/bin (BERTH_BIN_DIR) and build
	@hack/install.sh run
	@$(MAKE) --no-print-directory build

.PHONY: sandbox
sandbox: ## install gVisor, so that each FARGATE task runs in a sandbox
	@hack/install.sh sandbox

.PHONY: clean
clean: ## remove what make build made
	@rm -rf bin
