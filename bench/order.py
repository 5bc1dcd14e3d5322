#!/usr/bin/env python3
"""Finds out which functions the gateway runs, and writes them to `crates/gateway/order.ld` for the linker.

The release binary runs under callgrind: it starts, then answers whole, translated and streamed requests. What runs while
it answers comes first in the file, the busiest first, what runs only while it starts comes second, and nothing else is
named. See README.md.
"""

import argparse
import collections
import itertools
import pathlib
import re
import subprocess
import tempfile

import targets

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = ROOT / "target" / "release"

# What is another after every change: the hash at the end of a Rust symbol, that of a crate in the newer kind of symbol,
# the version in the names of aws-lc's functions.
CHANGING = [
    (re.compile(r"17h[0-9a-f]{16}E.*$"), "17h*"),
    (re.compile(r"Cs[0-9A-Za-z]{9,12}_"), "Cs*_"),
    (re.compile(r"aws_lc_[0-9]+_[0-9]+_[0-9]+_"), "aws_lc_*_"),
]

# Where more bytes than these have the same pattern and do not run, only those that run are named, hash and all.
IDLE_AT_MOST = 16 * 1024

HEAD = """/* Made by bench/order.py: what runs when the gateway answers, then what runs when it starts, side by side in memory.
   A name that is gone does no harm; a new one lies where the linker would have put it anyway. */
SECTIONS
{
  .text_order :
  {
"""
TAIL = """  }
}
INSERT BEFORE .text;
"""


def sizes(binary):
    """Bytes of the functions of a program, by the names that its linker knew."""
    listed = subprocess.run(["nm", "-S", binary], capture_output=True, text=True, check=True).stdout
    fields = (line.split() for line in listed.splitlines())
    return {line[3]: int(line[1], 16) for line in fields if len(line) == 4 and line[2] in "tT"}


def lasting(name):
    """The name as a pattern that the next version will match too."""
    for changing, stands_for_it in CHANGING:
        name = changing.sub(stands_for_it, name)
    return name


def functions(profile):
    """The functions that a profile of callgrind counted, those first that ran the most instructions themselves."""
    names, cost = {}, collections.Counter()
    running, of_callee = None, False
    for line in profile.read_text().splitlines():
        if named := re.match(r"(c?fn)=\((\d+)\)(?: (.*))?$", line):
            kind, number, name = named.groups()
            if name:  # Written out once, then a number.
                names[number] = name.partition("'")[0]
            running = names[number] if kind == "fn" else running
        elif line.startswith("calls="):
            of_callee = True
        elif re.match(r"[\d+*-]", line):
            cost[running] += 0 if of_callee else int(line.split()[1])
            of_callee = False
    return [name for name, _ in cost.most_common()]


def profiles(options, directory):
    """Two profiles of one process: answering, and starting."""
    out = directory / "profile"
    options.gateway = directory / "watched"
    valgrind = f"exec valgrind --tool=callgrind --demangle=no --callgrind-out-file={out} {options.binary.resolve()}"
    options.gateway.write_text(f'#!/bin/sh\n{valgrind} "$@"\n')
    options.gateway.chmod(0o755)
    with targets.Mock(options.binaries) as mock, targets.gateway(mock, directory, options) as target:
        targets.first_answer(target, patience=120)
        subprocess.run(["callgrind_control", "-d", str(target.process.child.pid)], check=True, capture_output=True)
        for kind, run in [("bench", "closed"), ("translated", "closed"), ("bunched", "streams")]:
            command = [options.binaries / "load", "--port", target.port, "--token", target.token]
            command += ["--model", target.models[kind], run, "--seconds", 4, "--connections", 4]
            subprocess.run(list(map(str, command)), check=True, capture_output=True)
    [starting] = directory.glob("profile.*")
    return out, starting


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, default=TARGET / "llm-gateway")
    parser.add_argument("--binaries", type=pathlib.Path, default=TARGET, help="where mock and load are")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "crates" / "gateway" / "order.ld")
    options = parser.parse_args()
    known = sizes(options.binary)
    unused = collections.Counter()
    for name, size in known.items():
        unused[lasting(name)] += size
    with tempfile.TemporaryDirectory() as directory:
        counted = map(functions, profiles(options, pathlib.Path(directory)))
        run = [[name for name in names if name in known] for names in counted]
    for name in set().union(*run):
        unused[lasting(name)] -= known[name]
    lines = {}
    for name in itertools.chain(*run):
        name = name if unused[lasting(name)] > IDLE_AT_MOST else lasting(name)
        lines[f"    *(.text.{name} .text.hot.{name} .text.unlikely.{name})\n"] = None
    options.out.write_text(HEAD + "".join(lines) + TAIL)
    print(f"{options.out}: {len(lines)} names")


if __name__ == "__main__":
    main()
