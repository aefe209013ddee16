#!/usr/bin/env python3
"""Bytes per event of a .dbtrace beside Parquet with zstd, for the same columns.

    Benchmarks/TraceSize/compare.py trace.dbtrace

Parquet is written by pyarrow (pip install pyarrow) at its defaults but for the compression, and once
more with the encodings that suit such columns best: DELTA_BINARY_PACKED for times, dictionaries for
the rest. Without pyarrow only the .dbtrace sizes are shown.
"""

import array
import os
import subprocess
import sys
import tempfile

TYPES = {"64": "Q", "32": "I", "16": "H", "8": "B"}


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


def parquet_size(pyarrow, parquet, data, folder, level, tuned):
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
    parquet.write_table(pyarrow.table(arrays), path, **options)
    return os.path.getsize(path)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: compare.py trace.dbtrace")
    package = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with tempfile.TemporaryDirectory() as folder:
        command = ["swift", "run", "-c", "release", "--package-path", package, "TraceSize"]
        command += [os.path.abspath(sys.argv[1]), folder]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        rows = [line.split() for line in output.splitlines()]
        if any(len(row) != 5 for row in rows):
            sys.exit(output.strip())
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            pyarrow = None
        print(f"{'columns':<8} {'format':<26} {'events':>9} {'bytes':>10} {'bytes/event':>12}")
        for name in dict.fromkeys(row[0] for row in rows):
            events = 0
            for _, codec, level, count, size in (row for row in rows if row[0] == name):
                events = int(count)
                show(name, f"dbtrace {codec} {level}", events, int(size))
            if pyarrow is None:
                continue
            data = columns(folder, name)
            for level in (3, 19):
                for tuned in (False, True):
                    label = f"parquet zstd {level}" + (" delta times" if tuned else "")
                    size = parquet_size(pyarrow, parquet, data, folder, level, tuned)
                    show(name, label, events, size)
        if pyarrow is None:
            print("parquet: not compared, because pyarrow is not installed (pip install pyarrow)")


def show(name, label, events, size):
    print(f"{name:<8} {label:<26} {events:>9} {size:>10} {size / events:>12.3f}")


if __name__ == "__main__":
    main()
