#!/usr/bin/env python3
"""Writes scipy.json: what SciPy says of small samples.

Run once, by hand:  pip install scipy && Tests/StatisticsTests/Golden/make.py
The tests read only the JSON.
"""
import itertools
import json
import pathlib

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20)
ALTERNATIVES = ["two-sided", "greater", "less"]


def rounded(values):
    return [float(round(v, 6)) for v in values]


def walsh(d):
    return sorted((d[i] + d[j]) / 2 for i in range(len(d)) for j in range(i, len(d)))


def paired_interval(d, confidence):
    """From the exact signed-rank distribution, as in R's wilcox.test(conf.int = TRUE)."""
    averages, n = walsh(d), len(d)
    masses = np.array([1.0])
    for rank in range(1, n + 1):
        longer = np.zeros(len(masses) + rank)
        longer[: len(masses)] += masses / 2
        longer[rank:] += masses / 2
        masses = longer
    places = np.nonzero(np.cumsum(masses) <= (1 - confidence) / 2)[0]
    if not len(places):
        return None
    return [averages[places[-1]], averages[-1 - places[-1]]]


def rank_p(d, alternative):
    """The signed-rank permutation test with mean ranks, by SciPy's permutation_test on the ranks."""
    d = np.array([v for v in d if v != 0])
    ranks = stats.rankdata(abs(d)) * np.sign(d)
    result = stats.permutation_test(
        (ranks,), lambda x, axis: np.sum(x, axis=axis), permutation_type="samples",
        vectorized=True, n_resamples=np.inf, alternative=alternative)
    return float(result.pvalue)


def paired():
    cases = []
    samples = [rng.normal(m, 1, n) for n in (1, 3, 5, 6, 9, 12, 25, 40) for m in (0, 0.7)]
    for sample in samples:
        d = rounded(sample)
        case = {"values": d, "estimate": float(np.median(walsh(d))), "p": {}, "interval": {}}
        for a in ALTERNATIVES:
            case["p"][a] = float(stats.wilcoxon(d, alternative=a, method="exact").pvalue)
        for c in (0.9, 0.95, 0.99):
            case["interval"][str(c)] = paired_interval(d, c)
        cases.append(case)
    for d in ([1, 1, -1, 2, 2, 3], [0, 0, 1, -2, 2, 2, 5], [0.5] * 8, [0, 0, 0]):
        d = [float(v) for v in d]
        p = {a: rank_p(d, a) if any(d) else 1.0 for a in ALTERNATIVES}
        cases.append({"values": d, "estimate": float(np.median(walsh(d))), "p": p, "interval": {}})
    return cases


def unpaired_interval(x, y, confidence):
    shifts = sorted(b - a for a in x for b in y)
    n, m = len(x), len(y)
    masses = {}
    for chosen in itertools.combinations(range(n + m), m):
        u = sum(chosen) - m * (m - 1) // 2
        masses[u] = masses.get(u, 0) + 1
    total, found, seen = sum(masses.values()), None, 0
    for u in range(n * m + 1):
        seen += masses.get(u, 0)
        if seen / total > (1 - confidence) / 2:
            break
        found = u
    return None if found is None else [shifts[found], shifts[-1 - found]]


def unpaired():
    cases = []
    for n, m in ((1, 1), (2, 3), (4, 4), (5, 7), (8, 8), (20, 25)):
        for shift in (0, 1.1):
            x, y = rounded(rng.normal(0, 1, n)), rounded(rng.normal(shift, 1, m))
            case = {"from": x, "to": y, "p": {}, "interval": {}}
            case["estimate"] = float(np.median([b - a for a in x for b in y]))
            for a in ALTERNATIVES:
                case["p"][a] = float(stats.mannwhitneyu(y, x, alternative=a, method="exact").pvalue)
            if n + m <= 16:
                for c in (0.9, 0.95):
                    case["interval"][str(c)] = unpaired_interval(x, y, c)
            cases.append(case)
    x, y = [1.0, 2.0, 2.0, 3.0, 5.0], [2.0, 2.0, 4.0, 5.0, 6.0]
    case = {"from": x, "to": y, "p": {}, "interval": {}}
    case["estimate"] = float(np.median([b - a for a in x for b in y]))
    for a in ALTERNATIVES:
        result = stats.permutation_test(
            (y, x), lambda u, v, axis: stats.mannwhitneyu(u, v, axis=axis).statistic,
            n_resamples=np.inf, alternative=a)
        case["p"][a] = float(result.pvalue)
    cases.append(case)
    for size in (60, 90):
        x, y = rounded(rng.normal(0, 1, size)), rounded(rng.normal(0.2, 1, size))
        case = {"from": x, "to": y, "p": {}, "interval": {}, "asymptotic": True}
        case["estimate"] = float(np.median([b - a for a in x for b in y]))
        for a in ALTERNATIVES:
            case["p"][a] = float(
                stats.mannwhitneyu(y, x, alternative=a, method="asymptotic").pvalue)
        cases.append(case)
    return cases


def permutation():
    cases = []
    for n in (4, 8, 11):
        d = rounded(rng.normal(0.4, 1, n))
        cases.append({"values": d, "p": {
            a: float(stats.permutation_test(
                (d,), lambda x, axis: np.mean(x, axis=axis), permutation_type="samples",
                vectorized=True, n_resamples=np.inf, alternative=a).pvalue)
            for a in ALTERNATIVES}})
    for n, m in ((3, 4), (6, 6)):
        x, y = rounded(rng.normal(0, 1, n)), rounded(rng.normal(1, 1, m))
        cases.append({"from": x, "to": y, "p": {
            a: float(stats.permutation_test(
                (y, x), lambda u, v, axis: np.mean(u, axis=axis) - np.mean(v, axis=axis),
                vectorized=True, n_resamples=np.inf, alternative=a).pvalue)
            for a in ALTERNATIVES}})
    return cases


def bootstrap():
    cases = []
    for values, names in ((rng.exponential(1, 30), ("mean", "median")), (rng.normal(5, 2, 15), ("mean",))):
        values = rounded(values)
        for name in names:
            f = getattr(np, name)
            result = stats.bootstrap(
                (values,), f, method="BCa", n_resamples=200_000, confidence_level=0.95,
                random_state=np.random.default_rng(1), vectorized=True, batch=1000)
            low, high = result.confidence_interval
            cases.append({
                "values": values, "statistic": name, "interval": [float(low), float(high)]})
    return cases


def variance():
    """Independent of the formulas in use: between and within mean squares from SciPy's ANOVA identity."""
    cases = []
    for sizes in ((4, 4, 4), (3, 6, 2, 5)):
        groups = [rounded(rng.normal(rng.normal(0, 2), 1, n)) for n in sizes]
        within = float(np.sum([np.var(g) * len(g) for g in groups]) / (sum(sizes) - len(sizes)))
        f = stats.f_oneway(*groups).statistic
        n0 = (sum(sizes) - sum(n * n for n in sizes) / sum(sizes)) / (len(sizes) - 1)
        cases.append({
            "launches": groups, "within": within, "between": float((f - 1) * within / n0)})
    return cases


def holm():
    """By its definition: reject while p(i) <= level / (m - i); the adjusted p is the least such level."""
    cases = []
    for p in ([0.01, 0.04, 0.03, 0.005], [0.2], [0.5, 0.5, 0.001, 0.02, 0.04]):
        order = np.argsort(p, kind="stable")
        scaled = [min(1.0, p[i] * (len(p) - k)) for k, i in enumerate(order)]
        adjusted = [0.0] * len(p)
        for k, i in enumerate(order):
            adjusted[i] = max(scaled[: k + 1])
        cases.append({"p": p, "adjusted": adjusted})
    return cases


def normal():
    z = [-37, -8, -3, -1.96, -0.5, 0, 0.1, 1, 2.5, 6]
    p = [1e-300, 1e-12, 0.001, 0.025, 0.3, 0.5, 0.9, 0.975, 0.999999]
    return {
        "z": z, "cumulative": [float(stats.norm.cdf(v)) for v in z],
        "p": p, "quantile": [float(stats.norm.ppf(v)) for v in p]}


document = {
    "scipy": scipy.__version__, "paired": paired(), "unpaired": unpaired(),
    "permutation": permutation(), "bootstrap": bootstrap(), "variance": variance(),
    "holm": holm(), "normal": normal()}
path = pathlib.Path(__file__).with_name("scipy.json")
path.write_text(json.dumps(document, separators=(",", ":")).replace("},{", "},\n{") + "\n")
