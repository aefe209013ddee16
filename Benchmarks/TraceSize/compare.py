#!/usr/bin/env python3
"""Bytes per event of a .dbtrace beside Parquet with zstd, for the same columns, and how fast each is read.

    Benchmarks/TraceSize/compare.py trace.dbtrace

Parquet is written by pyarrow (pip install pyarrow) at its defaults but for the compression, and once
more with the encodings that suit such columns best: DELTA_BINARY_PACKED for times, dictionaries for
the rest. Both are read on one thread from the page cache: Parquet into a table of arrow columns, the
.dbtrace into records of 48 bytes; processor time, the least of 25 passes. Without pyarrow only the
.dbtrace is shown.
"""

import array
import os
import subprocess
import sys
import tempfile
import time

TYPES = {"64": "Q", "32": "I", "16": "H", "8": "B"}
PASSES = 25
# What time, kind, stream, IOVA, PA, data and permission should take, and how much faster than Parquet.
BYTES_TARGET = 1.9
READ_TARGET = 10


def columns(folder, name):
    result = {}
    for file in sorted(os.listdir(folder)):
        parts = file.split(".")
        if len(parts) != 3 or parts[0] != name:
            continue
        values = array.array(TYPES[parts[2]])
        with open(os.path.join(folder, file), "rb") as handle:
            values.frombytes(handle.read())
        if sys.byteorder == "big":
            values.byteswap()
        result[parts[1]] = values
    return result


def parquet_cost(pyarrow, parquet, data, folder, level, tuned):
    """Bytes, and nanoseconds to read them."""
    types = {"Q": pyarrow.uint64(), "I": pyarrow.uint32(), "H": pyarrow.uint16(), "B": pyarrow.uint8()}
    arrays = {
        name: pyarrow.Array.from_buffers(
            types[values.typecode], len(values), [None, pyarrow.py_buffer(values)]
        )
        for name, values in data.items()
    }
    path = os.path.join(folder, "size.parquet")
    options = {"compression": "zstd", "compression_level": level}
    if tuned:
        options["use_dictionary"] = [name for name in arrays if name != "time"]
        options["column_encoding"] = {"time": "DELTA_BINARY_PACKED"}
    table = pyarrow.table(arrays)
    parquet.write_table(table, path, **options)
    least = None
    for _ in range(PASSES):
        start = time.process_time_ns()
        read = parquet.ParquetFile(path).read(use_threads=False)
        took = time.process_time_ns() - start
        least = took if least is None else min(least, took)
        assert read.num_rows == table.num_rows
    return os.path.getsize(path), least


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: compare.py trace.dbtrace")
    package = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with tempfile.TemporaryDirectory() as folder:
        command = ["swift", "run", "-c", "release", "--package-path", package, "TraceSize"]
        command += [os.path.abspath(sys.argv[1]), folder]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        rows = [line.split() for line in output.splitlines()]
        if any(len(row) != 6 for row in rows):
            sys.exit(output.strip())
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            pyarrow = None
        print(
            f"{'columns':<8} {'format':<26} {'events':>9} {'bytes':>10} {'bytes/event':>12}"
            f" {'read, M events/s':>17}"
        )
        verdicts = []
        for name in dict.fromkeys(row[0] for row in rows):
            ours = {}
            for _, codec, level, count, size, took in (row for row in rows if row[0] == name):
                events = int(count)
                show(name, f"dbtrace {codec} {level}", events, int(size), int(took))
                if codec == "zstd":
                    ours[int(level)] = (int(size) / events, int(took))
            if name == "access":
                verdicts.append(
                    f"access: {ours[3][0]:.3f} bytes/event with zstd 3, {ours[19][0]:.3f} with zstd 19"
                    f" (at most {BYTES_TARGET})"
                )
            if pyarrow is None:
                continue
            data = columns(folder, name)
            for level in (3, 19):
                times = []
                for tuned in (False, True):
                    label = f"parquet zstd {level}" + (" delta times" if tuned else "")
                    size, took = parquet_cost(pyarrow, parquet, data, folder, level, tuned)
                    show(name, label, events, size, took)
                    times.append(took / ours[level][1])
                verdicts.append(
                    f"{name}: zstd {level} is read {times[0]:.1f} times as fast as parquet,"
                    f" {times[1]:.1f} times with delta times (at least {READ_TARGET})"
                )
        print("\n".join(verdicts))
        if pyarrow is None:
            print("parquet: not compared, because pyarrow is not installed (pip install pyarrow)")


def show(name, label, events, size, took):
    rate = events * 1000 / took
    print(f"{name:<8} {label:<26} {events:>9} {size:>10} {size / events:>12.3f} {rate:>17.1f}")


if __name__ == "__main__":
    main()
