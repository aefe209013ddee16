#!/usr/bin/env python3
"""Writes otava.json: what Apache Otava says of series with and without steps.

Run once, by hand:  pip install apache-otava && Tests/StatisticsTests/Golden/make-otava.py
The tests read only the JSON.

For each series: the best split and its statistic (the same definition, so they must agree to the digit), the
steps of Otava's E-divisive with permutations, and those of its default, windows with Student's t-test.
"""
import importlib.metadata
import json
import pathlib
import warnings

import numpy as np
from otava.analysis import compute_change_points, compute_change_points_orig
from otava.change_point_divisive.calculator import PairDistanceCalculator

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)


def noisy(levels, sigma):
    """levels: (how many, level)."""
    return np.concatenate([rng.normal(level, sigma * level, count) for count, level in levels])


# Annual flow of the Nile at Aswan, 1871-1970, 10^8 m^3 (G. W. Cobb, "The problem of the Nile", Biometrika 65,
# 1978): the published example of a change point, 1899.
NILE = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
    1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
    831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759,
    781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
    744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
]

SERIES = {
    "nile": np.array(NILE, dtype=float),
    "step of 10 % in noise of 2 %": noisy([(30, 6.0), (30, 6.6)], 0.02),
    "step of 3 % in noise of 1 %": noisy([(30, 6.0), (20, 6.18)], 0.01),
    "two steps, up and back": noisy([(20, 100.0), (20, 115.0), (20, 100.0)], 0.02),
    "two steps up": noisy([(20, 100.0), (20, 110.0), (20, 125.0)], 0.02),
    "noise of 2 %": noisy([(60, 6.0)], 0.02),
    "noise of 10 %": noisy([(60, 6.0)], 0.10),
    "one outlier": np.where(np.arange(40) == 25, 9.0, noisy([(40, 6.0)], 0.02)),
    "lone last point": np.where(np.arange(40) == 39, 9.0, noisy([(40, 6.0)], 0.02)),
    "two at the end": np.where(np.arange(40) >= 38, 7.5, noisy([(40, 6.0)], 0.01)),
    "drift of 0.2 % a night": noisy([(40, 6.0)], 0.005) * (1 + 0.002 * np.arange(40)),
}

out = []
for name, values in SERIES.items():
    values = np.round(values, 6)
    best = PairDistanceCalculator(values).get_candidate_change_point(slice(0, len(values)))
    original, _ = compute_change_points_orig(values, max_pvalue=0.01, seed=1)
    windows, _ = compute_change_points(list(values), window_len=50, max_pvalue=0.001)
    out.append({
        "name": name,
        "values": [float(v) for v in values],
        "best": {"index": int(best.index), "statistic": float(best.qhat)},
        "permutation": sorted(int(p.index) for p in original),
        "windows": sorted(int(p.index) for p in windows),
    })
    print(f"{name}: best {best.index}, permutation {out[-1]['permutation']}, windows {out[-1]['windows']}")
path = pathlib.Path(__file__).with_name("otava.json")
path.write_text(json.dumps(
    {"otava": importlib.metadata.version("apache-otava"), "series": out}, indent=1) + "\n")
