# Two commands do everything: `make bench` and `make test`. Both first install what is missing.
#
#   make bench   build, replay the shipped recording through every design, print the comparison
#   make test    run every test, and the ring under ThreadSanitizer
#   make soak    the long versions of the differential tests
#   make format  format the sources as the tests expect them

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SWIFT ?= swift
RELEASE := .build/release

# Debian package : file that tells whether it is there (found by pkg-config or on the PATH).
REQUIRED := libzstd-dev liblz4-dev pkg-config zstd

.PHONY: help setup build bench test soak format lint clean

help:
	@sed -n 's/^#   //p' $(firstword $(MAKEFILE_LIST))

setup:
	@command -v $(SWIFT) >/dev/null || { \
	  echo "setup: no 'swift' on the PATH. Doorbell needs a Swift 6.3 toolchain for Linux (swift.org/install)." >&2; exit 3; }
	@missing=""; \
	command -v pkg-config >/dev/null || missing="$$missing pkg-config"; \
	command -v zstd >/dev/null || missing="$$missing zstd"; \
	pkg-config --exists libzstd 2>/dev/null || missing="$$missing libzstd-dev"; \
	pkg-config --exists liblz4 2>/dev/null || missing="$$missing liblz4-dev"; \
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

build: setup
	$(SWIFT) build -c release --product doorbell

clean:
	rm -rf .build
