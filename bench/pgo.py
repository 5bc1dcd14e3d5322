#!/usr/bin/env python3
"""Makes the profile by which `cargo xtask release` compiles: `pgo/llm-gateway.profdata`, and `pgo/compiler`, which it is for.

Builds a gateway that counts what it runs, puts it under the loads that `compare.py` measures and a tour through all pairs of
dialects, and keeps the counts. See README.md.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import tempfile

import targets
import tour

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
RELEASE = ROOT / "target" / "release"
COUNTING = ROOT / "target" / "counting"
COUNTS = COUNTING / "counts"

# Model, kind of run, bytes of a prompt, and how it is run.
LOADS = [
    ("bench", "closed", 1000, ["--seconds", 5]),
    ("bench", "closed", 64000, ["--seconds", 3]),
    ("translated", "closed", 1000, ["--seconds", 3]),
    ("bunched", "streams", 1000, ["--seconds", 3]),
    ("paced", "paced", 1000, ["--seconds", 3, "--connections", 50]),
    ("bench", "open", 1000, ["--seconds", 3, "--rate", 1000]),
]


def rustc(*arguments):
    return subprocess.run(["rustc", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def profdata():
    """LLVM's program for profiles, of the compiler's own version."""
    place = pathlib.Path(rustc("--print", "target-libdir").strip()).parent / "bin" / "llvm-profdata"
    if not place.exists():
        raise SystemExit(f"{place} is not there: rustup component add llvm-tools")
    return place


def counting_gateway():
    """A gateway that writes what it ran to `COUNTS` when it ends."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target")}
    subprocess.run(["cargo", "xtask", "release", "--count", COUNTS], cwd=ROOT, env=environment, check=True)
    return COUNTING / "release" / "llm-gateway"


def train(options, directory):
    """Everything worth counting, with one gateway."""
    with (
        targets.Mock(options.binaries) as mock,
        tour.scripted_provider(options.binaries) as origin,
        targets.gateway(mock, directory, options, tour.CONFIG.format(origin=origin)) as target,
    ):
        targets.first_answer(target)
        for model, run, prompt, arguments in LOADS:
            command = [options.binaries / "load", "--port", target.port, "--token", target.token]
            command += ["--model", target.models[model], "--prompt-bytes", prompt, run, *arguments]
            subprocess.run(targets.pinned(targets.LOAD_CORE, command), capture_output=True, check=True)
        tour.travel(target, rounds=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=pathlib.Path, default=RELEASE, help="where mock, load and fakeprov are")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "pgo", help="where the profile is put")
    options = parser.parse_args()
    merge = profdata()
    options.gateway = counting_gateway()
    shutil.rmtree(COUNTS, ignore_errors=True)  # Of an earlier run, or of programs that ran while it was built.
    with tempfile.TemporaryDirectory() as directory:
        train(options, pathlib.Path(directory))
    profile = options.out / "llm-gateway.profdata"
    subprocess.run([merge, "merge", "--sparse", "--output", profile, *COUNTS.glob("*.profraw")], check=True)
    (options.out / "compiler").write_text(rustc("-vV"))
    print(f"{profile}: {profile.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
