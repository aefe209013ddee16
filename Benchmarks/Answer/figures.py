#!/usr/bin/env python3
"""Run records and recordings → figures.json, all that the page "What the recordings say" may say.

    figures.py RECORDS --commit REVISION --launches N --output figures.json

RECORDS is the folder that `run` filled: NAME-LAUNCH.json of every recording and `live`, and the executable. One
figure of each launch is kept, in the order of the launches, and no average of any. What must not differ between
launches (counters, ledger, the answer of the proof) is compared, and a difference ends the command with 1.

What a recording says itself is read by `doorbell cat`, as a user would: recorded() has the rules."""
import argparse
import collections
import csv
import hashlib
import json
import math
import os
import pathlib
import subprocess
import sys

# The ITS commands that the recordings hold, by the low byte of DW0 (GICv3 and GICv4 Architecture Specification,
# IHI 0069, 5.3 and 5.4).
COMMANDS = {
    0x01: "MOVI", 0x03: "INT", 0x04: "CLEAR", 0x05: "SYNC", 0x08: "MAPD", 0x09: "MAPC", 0x0A: "MAPTI",
    0x0B: "MAPI", 0x0C: "INV", 0x0D: "INVALL", 0x0E: "MOVALL", 0x0F: "DISCARD", 0x21: "VMOVI", 0x22: "VMOVP",
    0x25: "VSYNC", 0x29: "VMAPP", 0x2A: "VMAPTI", 0x2B: "VMAPI", 0x2D: "VINVALL",
}
# Those that name a device in the upper half of DW0.
OF_A_DEVICE = {"MOVI", "INT", "CLEAR", "MAPD", "MAPTI", "MAPI", "INV", "DISCARD", "VMOVI", "VMAPTI", "VMAPI"}
FIRST_LPI = 8192
GUEST_ACKNOWLEDGES = "1"  # the number of a mark


def fail(message, status=3):
    print(f"figures: {message}", file=sys.stderr)
    sys.exit(status)


def percentile(values, share):
    """The least value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def distribution_percentile(cell, name, share):
    """The same of a histogram, whose buckets are in order."""
    counts = next(d["counts"] for d in cell["distributions"] if d["name"] == name)
    rank, seen = math.ceil(share * sum(c["count"] for c in counts)), 0
    for bucket in counts:
        seen += bucket["count"]
        if seen >= rank:
            return bucket["value"]
    fail(f"{cell['design']} {cell['experiment']}: '{name}' is empty")


def metric(cell, name):
    """The figure of one launch: the median of its passes."""
    return next((m["value"] for m in cell["metrics"] if m["name"] == name), None)


def same(what, values):
    """The one value of all launches."""
    if any(value != values[0] for value in values):
        fail(f"{what} differs between launches, and must not: {values}", 1)
    return values[0]


def modelled(records):
    """Of one recording, by design: the figures of each launch, and what is exact."""
    designs = {}
    for name in [c["design"] for c in records[0]["cells"] if c["experiment"] == "equality"]:
        def cells(experiment):
            return [
                next(c for c in r["cells"] if c["design"] == name and c["experiment"] == experiment)
                for r in records
            ]

        proof, set_up, core, path = (cells(e) for e in ("equality", "set-up", "core", "path"))
        what = f"{records[0]['trace']['name']}, {name}: "
        designs[name] = {
            "launches": {
                "setUpPerVector": [metric(c, "set-up-ns-per-vector") for c in set_up],
                "deliveryPerInterrupt": [metric(c, "delivery-ns-per-interrupt") for c in set_up],
                "corePerEvent": [metric(c, "delivery-ns-per-event") for c in core],
                "pathP50": [distribution_percentile(c, "total", 0.5) for c in path],
                "pathP99": [distribution_percentile(c, "total", 0.99) for c in path],
                "overCacheLine": [metric(c, "round-trip-over-cache-line") for c in path],
            },
            "vectors": int(same(what + "vectors", [c["parameters"]["vectors"] for c in set_up])),
            "setUpEvents": int(same(what + "events", [c["parameters"]["set-up-events"] for c in set_up])),
            "pathInterrupts": [
                sum(b["count"] for d in c["distributions"] if d["name"] == "total" for b in d["counts"])
                for c in path
            ],
            "conformance": same(what + "the proof", [c["conformance"] for c in proof]),
            "digest": same(what + "the digest of outcomes", [c["digest"] for c in proof]),
            "ledger": same(what + "the ledger", [c["ledger"] for c in proof]),
            "setUpCounters": same(what + "set-up's work", [c["setUpCounters"] for c in proof]),
            "deliveryCounters": same(what + "delivery's work", [c["deliveryCounters"] for c in proof]),
        }
    return designs


def live(records):
    """Live cells, by design and experiment, and what this host does not have."""
    cells = {}
    for first in records[0]["cells"]:
        key = (first["design"], first["experiment"])
        found = [
            next((c for c in r["cells"] if (c["design"], c["experiment"]) == key), None) for r in records
        ]
        if None in found:
            fail(f"live {key}: not in every launch")
        figures = {}
        if first["distributions"]:
            for figure in ("signal", "guest-entry", "seen-by-host"):
                for share, word in ((0.5, "P50"), (0.99, "P99")):
                    figures[figure + word] = [distribution_percentile(c, figure, share) for c in found]
        for m in first["metrics"]:
            if m["unit"] == "ns":
                figures[m["name"]] = [metric(c, m["name"]) for c in found]
        offers = first["ledger"]["offered"] if first.get("ledger") else None
        cells[f"{first['design']} {first['experiment']}"] = {
            "launches": figures,
            "parameters": first["parameters"],
            "traps": first["setUpCounters"].get("msix-traps"),
            "offered": offers,
            "accounted": all(
                c["ledger"]["offered"]
                == c["ledger"]["delivered"] + c["ledger"]["coalesced"] + c["ledger"]["masked"]
                + sum(c["ledger"]["lost"].values())
                for c in found if c.get("ledger")
            ),
        }
    absences = {(a["part"], a["reason"]) for r in records for a in r.get("absences") or []}
    return {"cells": cells, "absences": [{"part": p, "reason": r} for p, r in sorted(absences)]}


def recorded(doorbell, trace):
    """What a recording says of the delivery that it went through, by its own times: no replay.

    A guest's acknowledge is an `acknowledge` by a vPE where the recorded machine delivered vLPIs, else a mark
    (the machine had no vPE, and the guest's CPU interface is seen all the same). It serves every message of its vector
    that came before and was not served: the time is that from the first of them, the others are coalesced. An
    acknowledge that finds no message is late: the one before it took, in time, a message that it did not
    serve. The host's acknowledges are those by a PE."""
    kinds = "msi acknowledge mark its-command msix-table-write vcpu-load".split()
    try:
        text = subprocess.run(
            [doorbell, "cat", trace, "--kind", *kinds, "--format", "csv"], check=True, capture_output=True, text=True
        ).stdout
    except subprocess.CalledProcessError as error:
        fail(f"{trace}: 'doorbell cat' ended with {error.returncode}: {error.stderr.strip()}")
    rows = list(csv.DictReader(text.splitlines()))
    counts = collections.Counter(row["kind"] for row in rows)
    messages = [row for row in rows if row["kind"] == "msi"]
    # With vLPIs the host takes doorbells alone, which are no messages.
    is_virtual = any(row["target"].startswith("vpe") for row in messages)
    devices = {int(row["device"], 16) for row in messages}

    waiting, unseen = collections.defaultdict(list), collections.defaultdict(list)
    to_guest, to_host, host_to_guest = [], [], []
    late = coalesced = by_guest = by_host = 0
    host_took, last = {}, 0
    for row in rows:
        time = int(row["time"]) / 1000
        if row["kind"] == "msi":
            waiting[int(row["data"], 16)].append(time)
            unseen[int(row["data"], 16)].append(time)
        elif row["kind"] == "acknowledge" and not row["target"].startswith("vpe"):
            by_host += 1
            if is_virtual:
                continue
            vector = int(row["intid"]) - FIRST_LPI
            host_took[vector] = time
            if unseen[vector]:
                to_host.append(time - unseen.pop(vector)[0])
        elif row["kind"] == "acknowledge" or (row["kind"] == "mark" and row["number"] == GUEST_ACKNOWLEDGES):
            by_guest += 1
            intid = int(row["intid"]) if row["kind"] == "acknowledge" else int(row["word3"], 16) >> 32
            vector, last = intid - FIRST_LPI, time
            if vector in host_took:
                host_to_guest.append(time - host_took.pop(vector))
            if not waiting[vector]:
                late += 1
                continue
            first, *others = waiting.pop(vector)
            to_guest.append(time - first)
            coalesced += len(others)

    commands, of_device = collections.Counter(), 0
    for row in rows:
        if row["kind"] != "its-command":
            continue
        word = int(row["dw0"], 16)
        name = COMMANDS.get(word & 0xFF) or fail(f"{trace}: event {row['ordinal']}: command {word:#x} has no name here")
        commands[name] += 1
        of_device += name in OF_A_DEVICE and word >> 32 in devices
    return {
        "messages": len(messages),
        "guestAcknowledges": by_guest,
        "hostAcknowledges": by_host,
        "coalesced": coalesced,
        "lateAcknowledges": late,
        "toGuest": {f"p{p}": percentile(to_guest, p / 100) for p in (50, 90, 99)} if to_guest else None,
        "toHostP50": percentile(to_host, 0.5) if to_host else None,
        "hostToGuestP50": percentile(host_to_guest, 0.5) if host_to_guest else None,
        "loadSeconds": (last - int(messages[0]["time"]) / 1000) / 1e6 if by_guest and messages else None,
        "tableStores": counts["msix-table-write"],
        "vcpuLoads": counts["vcpu-load"],
        "commands": dict(sorted(commands.items())),
        "commandsOfDevice": of_device,
    }


def loads(records):
    """The load average of each launch, as `doctor` found it before; none where the host does not tell."""
    facts = [f["fact"] for r in records for f in r["findings"] if f["name"] == "load"]
    return [float(fact.split()[0]) for fact in facts if fact[:1].isdigit()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("records", type=pathlib.Path)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--launches", type=int, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    options = parser.parse_args()

    files = sorted(options.records.glob("*.json"))
    records = {file.stem: json.loads(file.read_text()) for file in files}
    names = sorted({stem.rsplit("-", 1)[0] for stem in records})

    def launches(name):
        try:
            return [records[f"{name}-{launch}"] for launch in range(1, options.launches + 1)]
        except KeyError as missing:
            fail(f"{options.records} holds no record {missing}")

    if "live" not in names or len(names) < 2:
        fail(f"{options.records} holds no records of `run`: {', '.join(names) or 'nothing'}")
    everything = list(records.values())
    folder = pathlib.Path(__file__).resolve().parents[2] / "Traces"
    traces = {}
    for name in names:
        if name == "live":
            continue
        path = folder / f"{name}.dbtrace"
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if any(record["trace"]["contentHash"] != digest for record in launches(name)):
            fail(f"{path}: not the recording that was replayed: its sha256 is {digest}")
        traces[name] = {
            "sha256": digest,
            "events": launches(name)[0]["trace"]["events"],
            "modelled": modelled(launches(name)),
            "recorded": recorded(options.records / "doorbell", path),
        }

    def command(name):
        """As it was typed, but for where the record went."""
        words = launches(name)[0]["command"]
        at = words.index("--output")
        return "doorbell " + " ".join(words[:at] + words[at + 2:])

    facts = collections.defaultdict(set)
    for record in everything:
        for name, value in record["host"]["facts"].items():
            facts[name].add(value)
    document = {
        "schema": 1,
        "tool": same("the tool", [record["tool"] for record in everything]),
        "commit": options.commit,
        "started": min(record["started"] for record in everything),
        "ended": max(record["started"] for record in everything),
        "launches": options.launches,
        "host": {name: same(f"the host's {name}", sorted(values)) for name, values in sorted(facts.items())},
        "load": loads(everything),
        "warnings": sorted({w for record in everything for w in record["warnings"]}),
        "commands": [command(name) for name in names],
        "traces": traces,
        "live": live(launches("live")),
        "records": {
            file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in files
        },
    }
    partial = options.output.with_name(options.output.name + ".partial")
    partial.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    os.replace(partial, options.output)


if __name__ == "__main__":
    main()
