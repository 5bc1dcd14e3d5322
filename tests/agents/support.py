"""What every turn needs: a folder of its own, the agent run in it, and what the gateway wrote down about it."""

import json
import os
import secrets
import signal
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

GATEWAY = os.environ["GATEWAY_URL"]
KEY = os.environ["GATEWAY_KEY"]
PROGRAMS = Path(os.environ["AGENTS_BIN"])
LEDGER = Path(os.environ["GATEWAY_LEDGER"])

# One provider a wire of the gateway to its upstream: OpenAI Chat, Anthropic Messages, OpenAI Responses, Gemini.
WIRES = ["oai", "ant", "rsp", "goo"]
SPOKEN = {"oai": "openai_chat", "ant": "anthropic_messages", "rsp": "openai_responses", "goo": "gemini"}

# The file that the agent is made to show.
NOTE = "note.txt"

# Seconds that a turn may take on a machine that does much else besides.
PATIENCE = 150


def installed(driver):
    return (PROGRAMS / driver.program).exists()


@dataclass
class Turn:
    """What came of a turn."""

    secret: str  # what the note says
    code: int
    lines: list  # the JSON lines it printed
    printed: str  # all it printed, for failures


def take(driver, wire):
    """One turn of an agent in a fresh home, removed with it."""
    with tempfile.TemporaryDirectory(prefix=f"{driver.program}-{wire}-", dir=os.environ["HOME"]) as folder:
        home, secret, model = Path(folder), secrets.token_hex(8), f"{driver.program}-{wire}"
        for name in ["work", "tmp"]:
            (home / name).mkdir()
        (home / "work" / NOTE).write_text(secret)
        driver.prepare(home)
        command = [str(PROGRAMS / driver.program), *driver.arguments(model)]
        code, out, err = run(command, home, driver.environment(home, model), prompt(driver))
    return Turn(secret, code, list(json_lines(out)), f"exit {code}\n{out}\n{err}")


def prompt(driver):
    tool, arguments = driver.order
    return f"CALL {tool} {json.dumps(arguments)}"


def run(command, home, environment, text):
    """Runs to the end, or kills the whole group: some agents try again for long."""
    own = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home / "tmp"), "NO_COLOR": "1"}
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with subprocess.Popen(
        command, cwd=home / "work", env={**own, **environment}, start_new_session=True, **pipes
    ) as child:
        try:
            out, err = child.communicate(text, PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            err += f"\nkilled after {PATIENCE} s"
    return child.returncode, out, err


def json_lines(text):
    for line in text.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def requests(driver, wire, at_least):
    """The rows of the ledger about a turn. They are written in batches, a moment after the answer."""
    deadline = time.monotonic() + 10
    while True:
        rows = ledger(f"{driver.program}-{wire}", driver.surface)
        if len(rows) >= at_least or time.monotonic() > deadline:
            return rows
        time.sleep(0.1)


def ledger(model, surface):
    wanted = "operation, wire, status, outcome, fault_code, losses, output"
    query = f"SELECT {wanted} FROM ledger WHERE model_asked = ? AND surface = ? ORDER BY started_at"
    with closing(sqlite3.connect(f"file:{LEDGER}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(query, (model, surface))]
