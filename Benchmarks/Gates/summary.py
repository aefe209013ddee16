#!/usr/bin/env python3
"""Counts how the gates in a folder ended: summary.py FOLDER AA SMALL LARGE WORK (numbers wanted).

Shares stand beside an exact 95 % interval (Clopper and Pearson, Biometrika 26, 1934)."""
import collections
import json
import math
import pathlib
import statistics
import sys


def tail(k, n, p):
    """P(X >= k) of a binomial distribution."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def interval(k, n):
    """By bisection on the tails."""

    def solve(is_below):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if is_below(middle) else (low, middle)
        return low

    lower = 0.0 if k == 0 else solve(lambda p: tail(k, n, p) < 0.025)
    upper = 1.0 if k == n else solve(lambda p: 1 - tail(k + 1, n, p) > 0.025)
    return lower, upper


def main():
    folder = pathlib.Path(sys.argv[1])
    wanted = dict(zip(("aa", "small", "large", "work"), map(int, sys.argv[2:])))
    titles = {
        "aa": "A/A, 10 s: false regressions",
        "small": "direct 3 % slower, 60 s: caught",
        "large": "direct 10 % slower, 10 s: caught",
        "work": "smaller TLB: caught",
    }
    status = 0
    for kind in ("aa", "small", "large", "work"):
        documents = [
            json.loads(path.read_text())
            for path in sorted(folder.glob(f"{kind}-*.json"))[: wanted[kind]]
        ]
        if not documents:
            print(f"{titles[kind]}: none run")
            status = max(status, 2)
            continue
        gates = documents if kind == "aa" else [d["gate"] for d in documents]
        answers = collections.Counter(
            d["conclusion"] if kind == "aa" else d["answer"] for d in documents
        )
        hits = answers["regression" if kind == "aa" else "caught"]
        count = len(documents)
        low, high = interval(hits, count)
        seconds = statistics.median(g["elapsedSeconds"] for g in gates)
        others = ", ".join(f"{name} {n}" for name, n in sorted(answers.items()))
        print(
            f"{titles[kind]}: {hits} of {count}, {100 * low:.1f} to {100 * high:.1f} % "
            f"({others}); median {seconds:.1f} s"
        )
        limit = {"aa": hits <= 0.01 * count, "work": hits == count}.get(kind, hits >= 0.95 * count)
        if not limit:
            status = 1
        elif count < {"aa": 200}.get(kind, 40) and status == 0:
            status = 2
    sys.exit(status)


main()
