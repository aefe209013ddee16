# Two commands do everything: `make bench` and `make test`. Both first install what is missing.
#
#   make bench    build, replay the shipped recording through every design, print the comparison
#   make bench-all
#                 the same and every other figure: open loop, knee, live, the programs of Benchmarks and
#                 their peers
#   make test     run every test, the ring under ThreadSanitizer, and a little fuzzing
#   make soak     the long differential tests, traces of up to 2³² events, 200 kills of trace writers,
#                 every thread under ThreadSanitizer, orderings between threads in a model checker, the
#                 commands of the manual on the optimized build, and shards on a real Slurm (where root may
#                 start one)
#   make fuzz     every fuzz target for FUZZ_SECONDS (60) each
#   make answer   measure the manual's page "What the recordings say" anew
#   make build    build the doorbell executable (release)
#   make install  install under PREFIX (/usr/local): executable without Swift's libraries, traces,
#                 manual pages, completions for bash, zsh and fish, the C interface
#   make dist     a tarball and a Debian package of that in DIST (dist); DIST_CHECK=1 tries both in
#                 clean Debian roots
#   make plugins  build the designs in C of Benchmarks/Plugin into .build/backends
#   make format   format the sources as the tests expect them
#   make clean    remove what was built

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SWIFT ?= swift
DOORBELL := .build/release/doorbell
# Raw recordings, for the tests that import them; tests skip what is not there, by name.
CAPTURES ?= $(wildcard ../shared/captures)
ifneq ($(strip $(CAPTURES)),)
export DOORBELL_CAPTURES := $(abspath $(CAPTURES))
endif

.PHONY: help setup peers build plugins static install dist bench bench-all test soak fuzz format lint clean

help:
	@sed -n 's/^#   //p' $(firstword $(MAKEFILE_LIST))

setup:
	@command -v $(SWIFT) >/dev/null || { \
	  echo "setup: no 'swift' on the PATH; Doorbell needs a Swift 6.3 toolchain for Linux (swift.org/install)" >&2; exit 3; }
	@missing=""; \
	command -v pkg-config >/dev/null || missing="$$missing pkg-config"; \
	pkg-config --exists libzstd 2>/dev/null || missing="$$missing libzstd-dev"; \
	pkg-config --exists liblz4 2>/dev/null || missing="$$missing liblz4-dev"; \
	pkg-config --exists sqlite3 2>/dev/null || missing="$$missing libsqlite3-dev"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ]; then \
	    echo "setup: installing$$missing" >&2; \
	    export DEBIAN_FRONTEND=noninteractive; \
	    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing; } >/dev/null; \
	  else \
	    echo "setup: missing Debian packages:$$missing" >&2; \
	    echo "setup: not root; run: sudo apt-get install$$missing" >&2; exit 3; \
	  fi; \
	fi

# Peers of the benchmarks. Not needed: what is missing is named and left out.
PYTHON = $(or $(wildcard .build/peers/bin/python3),python3)
peers: setup
	@if [ "$$(id -u)" = 0 ]; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  dpkg -s libck-dev libboost-dev libdpdk-dev >/dev/null 2>&1 || \
	    apt-get install -y -qq --no-install-recommends libck-dev libboost-dev libdpdk-dev g++ >/dev/null 2>&1 || \
	    echo "setup: peers of the ring benchmark could not be installed; it names what it leaves out" >&2; \
	  command -v trace-cmd >/dev/null || \
	    apt-get install -y -qq --no-install-recommends trace-cmd >/dev/null 2>&1 || \
	    echo "setup: trace-cmd could not be installed; imports are not compared with it" >&2; \
	fi
	@$(PYTHON) -c 'import pyarrow' 2>/dev/null || \
	  { python3 -m venv .build/peers && .build/peers/bin/pip install -q pyarrow; } >/dev/null 2>&1 || \
	  echo "setup: pyarrow could not be installed; the comparison with Parquet is left out" >&2

build: setup plugins
	$(SWIFT) build -c release --product doorbell

plugins:
	@cc=$$(command -v cc || command -v clang) || { \
	  echo "plugins: neither cc nor clang is on the PATH; the designs in C are left out" >&2; exit 0; }; \
	$(MAKE) -s -C Benchmarks/Plugin CC=$$cc

PREFIX ?= /usr/local
DESTDIR ?=
DIST ?= dist
STATIC := .build-dist
MANUAL := $(STATIC)/manual

# Swift's own libraries are in the executable: it runs where no Swift is installed.
static: setup
	$(SWIFT) build -c release --product doorbell --static-swift-stdlib --scratch-path $(STATIC)
	@rm -rf $(MANUAL)
	$(SWIFT) package generate-manual --multi-page --section 1 \
	  --date "$$(git log -1 --format=%cs 2>/dev/null || date +%F)"
	@mkdir -p $(MANUAL)
	@for page in .build/plugins/GenerateManual/outputs/CommandLine/doorbell*.1; do \
	  cp $$page "$(MANUAL)/$$(basename $$page | sed 's/^doorbell\.\([a-z-]*\)\.1$$/doorbell-\1.1/')"; \
	done

install: INTO = $(DESTDIR)$(PREFIX)
install:
	@[ -x $(STATIC)/release/doorbell ] && [ -d $(MANUAL) ] || $(MAKE) static
	@mkdir -p "$(INTO)/bin" "$(INTO)/share/doorbell/traces" "$(INTO)/share/doc/doorbell" \
	  "$(INTO)/share/man/man1" "$(INTO)/share/bash-completion/completions" \
	  "$(INTO)/share/zsh/site-functions" "$(INTO)/share/fish/vendor_completions.d" "$(INTO)/include"
	@install -s -m 755 $(STATIC)/release/doorbell "$(INTO)/bin/doorbell"
	@install -m 644 Traces/*.dbtrace "$(INTO)/share/doorbell/traces/"
	@for page in README.md */README.md $$(find Sources/Manual -type f); do \
	  install -D -m 644 $$page "$(INTO)/share/doc/doorbell/$$page"; \
	done
	@install -m 644 $(MANUAL)/*.1 "$(INTO)/share/man/man1/"
	@install -m 644 Sources/CDoorbellBackend/include/doorbell_backend.h "$(INTO)/include/"
	@$(STATIC)/release/doorbell --generate-completion-script bash \
	  > "$(INTO)/share/bash-completion/completions/doorbell"
	@$(STATIC)/release/doorbell --generate-completion-script zsh > "$(INTO)/share/zsh/site-functions/_doorbell"
	@$(STATIC)/release/doorbell --generate-completion-script fish \
	  > "$(INTO)/share/fish/vendor_completions.d/doorbell.fish"

dist: static
	@DOORBELL=$(STATIC)/release/doorbell Sources/Packaging/dist "$(DIST)"
	@[ -z "$(DIST_CHECK)" ] || Tests/Packaging/clean-root "$(DIST)"

bench: build
	@echo
	@echo "== $(DOORBELL) replay =="
	@$(DOORBELL) replay --output .build/bench.json
	@echo
	@echo "== $(DOORBELL) replay Traces/rebind.dbtrace --experiment set-up: what configuring costs =="
	@$(DOORBELL) replay Traces/rebind.dbtrace --experiment set-up | sed -n '/^Set-up/,/^Work/{/^Work/!p}'
	@echo "As a page with plots:  $(DOORBELL) report .build/bench.json --output bench.html"
	@echo "All other figures:     make bench-all"

# Everything that is built stays: only the programs of Benchmarks are new here.
bench-all: bench peers
	$(SWIFT) build -c release
	@echo
	@echo "== $(DOORBELL) replay --design direct --experiment pipeline =="
	@$(DOORBELL) replay --design direct --experiment pipeline | sed -n '/^Pipeline/,/^$$/p'
	@echo "== $(DOORBELL) replay --experiment paced --rate 100k: an open loop =="
	@$(DOORBELL) replay --experiment paced --rate 100k | sed -n '/^Paced/,/^Harness/{/^Harness/!p}' || \
	  echo "this host did not keep the schedule: see 'doorbell doctor'" >&2
	@echo "== $(DOORBELL) replay --design direct --experiment saturate scale: how much it takes, on how many threads =="
	@$(DOORBELL) replay --design direct --experiment saturate scale | \
	  sed -n '/^Saturate/,/^Harness/{/^Harness/!p}' || echo "no knee could be confirmed here" >&2
	@echo "== $(DOORBELL) live: delivery and set-up on this host's /dev/kvm, beside the same loops in C =="
	@$(DOORBELL) live --interrupts 500 --rounds 5 --vectors 1 16 || [ $$? = 3 ]
	@echo
	@echo "== $(DOORBELL) live --traps: a trapped store without KVM =="
	@$(DOORBELL) live --traps || [ $$? = 3 ]
	@echo
	@echo "== CoreBenchmark: the core against its twin in C =="
	@.build/release/CoreBenchmark
	@echo
	@echo "== TablesBenchmark: an MSI by where its tables lie, and by the way it takes =="
	@.build/release/TablesBenchmark
	@echo
	@echo "== $(DOORBELL) conform .build/backends/direct.so: a design in C, on every shipped trace =="
	@$(DOORBELL) conform .build/backends/direct.so
	@echo
	@echo "== PluginCrossing: what the C interface costs per event =="
	@.build/release/PluginCrossing
	@echo
	@echo "== FirstBitBenchmark: the guard before find-first-bit =="
	@.build/release/FirstBitBenchmark
	@echo
	@echo "== TraceDecodeBenchmark Traces/nvme.dbtrace: decoding from memory, one core =="
	@.build/release/TraceDecodeBenchmark Traces/nvme.dbtrace
	@echo
	@echo "== Benchmarks/TraceSize/compare.py: bytes per event, and reading, beside Parquet =="
	@$(PYTHON) Benchmarks/TraceSize/compare.py Traces/nvme.dbtrace || true
	@echo
	@echo "== ImportBenchmark: a trace.dat, beside 'trace-cmd report' =="
	@capture="$(firstword $(wildcard $(addsuffix /nvme.guest.trace.dat,$(CAPTURES))))"; \
	if [ -n "$$capture" ]; then .build/release/ImportBenchmark "$$capture"; \
	else echo "left out: no nvme.guest.trace.dat in CAPTURES ($(CAPTURES))"; fi
	@echo
	@echo "== Benchmarks/Rings/run: the ring against its peers =="
	@Benchmarks/Rings/run 10

test: setup
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build
	@echo "== the ring under ThreadSanitizer =="
	$(SWIFT) run -c release --sanitize=thread --scratch-path .build-tsan RingRaces
	@echo "== a little fuzzing; 'make fuzz' does more =="
	@Tests/Fuzz/run 1 || { \
	  status=$$?; [ $$status = 3 ] || exit $$status; \
	  echo "fuzzing is not available here: a target could not be built" >&2; }

answer: build
	Benchmarks/Answer/run

soak: build
	DOORBELL_SOAK_EVENTS=1000000 $(SWIFT) test -c release --scratch-path .build-soak --filter TranslationCoreTests
	$(SWIFT) build -c release --product TraceDecodeBenchmark
	Benchmarks/TraceDecode/soak
	Tests/Durability/kill-nine
	$(SWIFT) run -c release --sanitize=thread --scratch-path .build-tsan TraceRaces
	$(SWIFT) run -c release --sanitize=thread --scratch-path .build-tsan PipelineRaces
	@echo "== no allocation between the first and the last measured interrupt =="
	@$(DOORBELL) replay --experiment paced --rate 20k --send-duration 200ms --lag-budget 10s \
	  | sed -n '/^  allocations between/p'
	DOORBELL_DOCUMENTED=$(DOORBELL) $(SWIFT) test --filter DocumentedCommandTests
	Tests/Manual/design-in-swift
	Tests/Usage/try $(DOORBELL)
	ANSWER_LAUNCHES=2 ANSWER_REPLAY="--passes 3 --duration 20ms --interrupts 200" \
	  Benchmarks/Answer/run .build/answer-page
	@Tests/Models/run || { \
	  status=$$?; [ $$status = 3 ] || exit $$status; \
	  echo "the models were not checked: a tool is missing" >&2; }
	@for script in run reframe; do \
	  Tests/Slurm/$$script $(DOORBELL) || { status=$$?; [ $$status = 3 ] || exit $$status; }; \
	done

FUZZ_SECONDS ?= 60
fuzz: setup
	Tests/Fuzz/run $(FUZZ_SECONDS)

format:
	$(SWIFT) format format -i -r Sources Tests Benchmarks Package.swift

lint:
	$(SWIFT) format lint -r --strict Sources Tests Benchmarks Package.swift

clean:
	rm -rf .build .build-tsan .build-soak .build-fuzz .build-dist
