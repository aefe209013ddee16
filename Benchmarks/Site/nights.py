#!/usr/bin/env python3
"""Prints a made-up history as lines of JSON, as `doorbell history import` reads them: so many nights of 5 traces x 3
designs x 2 experiments (30 cells) and the proof of each design. Nothing was measured: every name says "synthetic",
and the host's fingerprint says so too. The same arguments give the same bytes.

  Benchmarks/Site/nights.py [NIGHTS [FIRST]]

NIGHTS is 365; only nights from FIRST on (0) are printed, so that one more night can be added.
"""
import datetime
import json
import math
import random
import sys

TRACES = ["synthetic-block", "synthetic-boot", "synthetic-net", "synthetic-many", "synthetic-mixed"]
DESIGNS = {"trapped": ("trapped", "vlpi"), "eventfd": ("trapped", "irqfd"), "direct": ("owned", "vlpi")}
# (trace, design, experiment, first night, factor): where a level changes for good.
STEPS = [
    (0, "direct", "core", 60, 1.06), (0, "direct", "core", 200, 0.95), (1, "eventfd", "path", 120, 1.08),
    (2, "trapped", "core", 150, 0.93), (3, "direct", "path", 240, 1.05), (4, "eventfd", "core", 290, 1.04),
    (0, "trapped", "path", 310, 0.96), (2, "direct", "core", 361, 1.05),
]


def level(trace, design, experiment, night):
    factor = 1 + 0.1 * trace
    for step in STEPS:
        if (step[0], step[1], step[2]) == (trace, design, experiment) and night >= step[3]:
            factor *= step[4]
    return factor


def metric(name, value, dice):
    samples = [round(value * dice.gauss(1, 0.01), 4) for _ in range(9)]
    return {"name": name, "unit": "ns", "lowerIsBetter": True, "value": sorted(samples)[4], "samples": samples}


def distribution(median, dice):
    """A hundred buckets of a lognormal shape, as wide as a path's times are."""
    counts = []
    for index in range(100):
        value = median * math.exp((index - 40) / 25)
        weight = math.exp(-((index - 40) / 12) ** 2)
        counts.append({"value": int(value), "count": int(20000 * weight * dice.uniform(0.97, 1.03)) + 1})
    return {"name": "total", "unit": "ns", "counts": counts}


def cell(trace, design, experiment, night, dice):
    factor = level(trace, design, experiment, night) * dice.gauss(1, 0.006)
    cost = {"trapped": 1.2, "eventfd": 1.5, "direct": 1.0}[design]
    found = {
        "design": design, "setUp": DESIGNS[design][0], "delivery": DESIGNS[design][1], "architecture": "arm-gicv4",
        "experiment": experiment, "mode": "modelled", "parameters": {}, "setUpCounters": {}, "deliveryCounters": {},
        "metrics": [], "distributions": [],
    }
    if experiment == "equality":
        found["conformance"] = {
            "accessesCompared": 98877, "interruptsCompared": 5057, "agreedWithReference": True,
            "recordedCompared": 98877, "agreedWithRecording": True,
        }
        found["ledger"] = {"offered": 5057, "delivered": 4799, "coalesced": 258, "masked": 0, "lost": {}}
        found["deliveryCounters"] = {"itt-reads": 5057, "device-table-reads": 5057, "tlb-misses": 15249}
    elif experiment == "core":
        found["metrics"] = [
            metric("delivery-ns-per-event", 4 * cost * factor, dice),
            metric("set-up-ns-per-event", 20 * cost * factor, dice),
        ]
    else:
        found["distributions"] = [distribution(160 * cost * factor, dice)]
    return found


def record(trace, night):
    dice = random.Random(night * 1000 + trace)
    started = datetime.datetime(2025, 1, 1, 2, trace) + datetime.timedelta(days=night)
    name = TRACES[trace]
    return {
        "commit": random.Random(night).randbytes(20).hex(),
        "record": {
            "schema": 1, "tool": {"name": "doorbell", "version": "synthetic"},
            "command": ["replay", f"{name}.dbtrace"], "started": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "trace": {
                "name": f"{name}.dbtrace", "contentHash": name, "events": 163839, "eventsByKind": {}, "lostEvents": 0,
            },
            "host": {"schema": 1, "facts": {"cpu-model": "synthetic: no host was measured", "cpus": "2"}},
            "launches": 1, "harness": [], "warnings": ["synthetic figures: nothing was measured"],
            "cells": [cell(trace, design, experiment, night, dice)
                      for design in DESIGNS for experiment in ["equality", "core", "path"]],
        },
    }


def main():
    nights = int(sys.argv[1]) if len(sys.argv) > 1 else 365
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for night in range(first, nights):
        for trace in range(len(TRACES)):
            print(json.dumps(record(trace, night), separators=(",", ":")))


main()
