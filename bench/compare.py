#!/usr/bin/env python3
"""Compares the gateway with nginx as reverse proxy, and with a direct call, in front of the same mock upstream.

The proxy has core 0, mock and load share core 1. Rounds are interleaved: in each, every figure is taken of every
target in turn. The table shows medians of rounds. Writes `results/latest.json`, prints a Markdown table. See README.md.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import targets

HERE = pathlib.Path(__file__).resolve().parent

# name, unit, digits, bar against nginx: ("x", factor) | ("+", addition) | (">", least) | ("<", most) | None
FIGURES = [
    ("cpu_1k", "CPU a request, 1 kB, us", 1, ("x", 1.5)),
    ("cpu_64k", "CPU a request, 64 kB, us", 1, ("x", 1.3)),
    ("cpu_translated", "CPU a request, 1 kB, translated, us", 1, ("x", 2.5)),
    ("rps", "requests a second, closed loop", 0, None),
    ("added_p50", "added p50 at 1,000 requests/s, us", 0, ("+", 20)),
    ("added_p99", "added p99 at 1,000 requests/s, us", 0, None),
    ("lag_p99", "chunk lag p99, paced, us", 0, ("+", 300)),
    ("streams", "streams of 64 chunks a second", 0, (">", 4000)),
    ("cpu_chunks", "CPU per 10,000 paced chunks, s", 3, ("x", 1.3)),
    ("kib_held", "KiB per held stream", 1, ("<", 45)),
    ("rss_idle", "memory idle, MiB", 1, ("<", 15)),
    ("rss_loaded", "memory loaded, MiB", 1, ("<", 30)),
    ("first_answer", "start to first answer, ms", 1, ("<", 50)),
]


def load(options, target, model, run, *arguments, prompt=1000):
    """Runs the load generator once; its figures, and the CPU seconds the target spent meanwhile."""
    command = [options.binaries / "load", "--port", target.port, "--token", target.token, "--model",
               target.models[model], "--prompt-bytes", prompt, run, *arguments]
    before = target.process.cpu_seconds() if target.process else 0
    done = subprocess.run(targets.pinned(targets.LOAD_CORE, command), capture_output=True, text=True)
    spent = (target.process.cpu_seconds() if target.process else 0) - before
    if done.returncode != 0:
        raise SystemExit(f"load on {target.name}, model {model}: {done.stderr.strip()}")
    figures = json.loads(done.stdout)
    if not figures["count"]:
        raise SystemExit(f"load on {target.name}, model {model}: nothing was measured")
    return figures, spent


def held(options, target):
    """KiB of the target's memory for each of many streams held open."""
    before = target.process.rss_kib()
    command = [options.binaries / "load", "--port", target.port, "--token", target.token, "--model",
               target.models["hold"], "hold", "--streams", options.held]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with targets.Process(command, targets.LOAD_CORE, **pipes) as holder:
        line = holder.child.stdout.readline()
        if not line:
            raise SystemExit(f"{target.name} did not hold {options.held} streams")
        time.sleep(0.5)
        grown = target.process.rss_kib() - before
        holder.child.stdin.close()
        holder.child.wait(30)
    return grown / options.held


def cpu_of_requests(options, target, model, prompt):
    """Microseconds of CPU a request at full load of 32 connections, and requests a second; after a warm-up."""
    load(options, target, model, "closed", "--seconds", options.seconds / 3, prompt=prompt)
    figures, spent = load(options, target, model, "closed", "--seconds", options.seconds, prompt=prompt)
    return spent / figures["count"] * 1e6, figures["per_second"]


def carried(options, target):
    cpu, rps = cpu_of_requests(options, target, "bench", 1000)
    return {"cpu_1k": cpu, "rps": rps}


def carried_long(options, target):
    return {"cpu_64k": cpu_of_requests(options, target, "bench", 64000)[0]}


def translated(options, target):
    if "translated" not in target.models:
        return {}
    cpu, rps = cpu_of_requests(options, target, "translated", 1000)
    return {"cpu_translated": cpu, "rps_translated": rps}


def calm(options, target):
    figures, _ = load(options, target, "bench", "open", "--rate", 1000, "--seconds", options.seconds)
    return {"p50": figures["p50_us"], "p99": figures["p99_us"]}


def bunched(options, target):
    figures, _ = load(options, target, "bunched", "streams", "--seconds", options.seconds)
    return {"streams": figures["per_second"]}


def paced(options, target):
    figures, spent = load(options, target, "paced", "paced", "--connections", 50, "--seconds", options.seconds)
    return {"lag_p99": figures["p99_us"], "cpu_chunks": spent / figures["count"] * 1e4}


def memory(options, target):
    if not target.process:
        return {}
    return {"rss_loaded": target.process.rss_kib() / 1024, "kib_held": held(options, target)}


STEPS = [carried, carried_long, translated, calm, bunched, paced, memory]


def one_round(options, directory, number):
    """Starts every target, then takes each figure of all of them before the next; every other round backwards."""
    with contextlib.ExitStack() as stack:
        started, found = [], {}
        for name in options.only:
            place = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(dir=directory)))
            mock = stack.enter_context(targets.Mock(options.binaries))
            target = stack.enter_context(targets.TARGETS[name](mock, place, options))
            started.append(target)
            found[name] = first(target)
        for step in STEPS:
            for target in started if number % 2 == 0 else reversed(started):
                found[target.name] |= step(options, target)
    for figures in found.values():
        for percentile in ("p50", "p99"):
            figures[f"added_{percentile}"] = figures[percentile] - found["direct"][percentile]
    for figure in ("cpu_1k", "cpu_64k", "cpu_chunks", "added_p50", "added_p99"):
        del found["direct"][figure]
    return found


def first(target):
    """How soon a target answers, and its memory then."""
    seconds = targets.first_answer(target)
    if not target.process:
        return {}
    return {"first_answer": seconds * 1000, "rss_idle": target.process.rss_kib() / 1024}


def medians(rounds, name):
    figures = {figure for found in rounds for figure in found.get(name, {})}
    return {figure: statistics.median(found[name][figure] for found in rounds) for figure in sorted(figures)}


def verdict(bar, ours, nginxs):
    """Whether a figure keeps its bar, and the bar in words."""
    kind, number = bar
    limit = {"x": (nginxs or 0) * number, "+": (nginxs or 0) + number}.get(kind, number)
    words = {"x": f"{number} x nginx", "+": f"nginx + {number}", ">": f"at least {number}", "<": f"at most {number}"}[kind]
    kept = ours >= limit if kind == ">" else ours <= limit
    return words, "kept" if kept else "MISSED"


def row(figure, heading, digits, bar, found):
    def cell(value):
        return "" if value is None else f"{value:,.{digits}f}"

    values = {name: figures.get(figure) for name, figures in found.items()}
    ours = values.get("gateway")
    # A translated request has no twin at nginx: it is held against the carried one.
    nginxs = values.get("nginx") if figure != "cpu_translated" else found.get("nginx", {}).get("cpu_1k")
    ratio = f"{ours / nginxs:.2f}" if ours and nginxs and nginxs > 0 else ""
    words, kept = verdict(bar, ours, nginxs) if bar and ours is not None else (verdict(bar, 0, 0)[0] if bar else "", "")
    return f"| {heading} | " + " | ".join([*map(cell, values.values()), ratio, words, kept]) + " |"


def table(found):
    lines = ["| figure | " + " | ".join(found) + " | gateway / nginx | bar | |", "| --- |" + " ---: |" * (len(found) + 1) + " --- | --- |"]
    lines += [row(figure, heading, digits, bar, found) for figure, heading, digits, bar in FIGURES]
    return "\n".join(lines)


def machine(options):
    """Where and with what it was measured."""
    cpu = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    server = subprocess.run([options.nginx, "-v"], capture_output=True, text=True).stderr.strip() if "nginx" in options.only else None
    commit = subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return {"load_average": os.getloadavg()[0], "cpu": cpu, "kernel": platform.release(), "nginx": server, "commit": commit, "date": time.strftime("%Y-%m-%d"),
            "command": " ".join(["bench/compare.py", *sys.argv[1:]])}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", default="target/release/llm-gateway", help="the gateway's binary")
    parser.add_argument("--nginx", default="/usr/sbin/nginx", help="nginx's binary")
    parser.add_argument("--binaries", type=pathlib.Path, default=HERE.parent / "target/release", help="where mock and load are")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each run")
    parser.add_argument("--held", type=int, default=1000, help="streams held open")
    parser.add_argument("--quick", action="store_true", help="one round of one-second runs, to see that it works")
    parser.add_argument("--only", default="direct,nginx,gateway", help="comma list of targets")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "results/latest.json")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if "direct" not in options.only:
        options.only.insert(0, "direct")
    if options.quick:
        options.rounds, options.seconds = 1, 1.0
    return options


def main():
    options = arguments()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if os.getloadavg()[0] > 0.5:
        print("the machine is busy with other things: trust ratios a little and absolute figures not at all", file=sys.stderr)
    about, rounds = machine(options), []
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            rounds.append(one_round(options, directory, number))
    found = {name: medians(rounds, name) for name in options.only}
    result = {"machine": about, "medians": found, "rounds": rounds}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
