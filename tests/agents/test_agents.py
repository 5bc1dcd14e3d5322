"""Every agent against the wires that are wanted: a full turn with a tool."""

import os
import unittest
from concurrent.futures import ThreadPoolExecutor

from drivers import DRIVERS
from support import SPOKEN, WIRES, installed, requests, take

# All wires, not just the two of the normal run.
ALL = os.environ.get("AGENTS_ALL") == "1"

PAIRS = [(driver, wire) for driver in DRIVERS for wire in WIRES if ALL or wire in driver.wires]

TURNS = {}


def setUpModule():
    """Turns are begun ahead of the tests that look at them: agents spend much of their time waiting."""
    pool = ThreadPoolExecutor(max_workers=3)
    unittest.addModuleCleanup(pool.shutdown, cancel_futures=True)
    for driver, wire in PAIRS:
        if installed(driver):
            TURNS[driver, wire] = pool.submit(take, driver, wire)


class Agents(unittest.TestCase):
    maxDiff = None

    def turn(self, driver, wire):
        if not installed(driver):
            self.skipTest(f"{driver.program} could not be installed")
        turn = TURNS[driver, wire].result()
        self.assertEqual(turn.code, 0, turn.printed)
        self.assertIn(turn.secret, driver.said(turn.lines), turn.printed)

    def booked(self, driver, wire):
        rows = requests(driver, wire, 2)
        self.assertGreaterEqual(len(rows), 2, rows)
        carried = SPOKEN[wire] == driver.surface
        allowed = set() if carried else driver.losses
        for row in rows:
            self.assertEqual((row["status"], row["outcome"]), (200, "completed"), row)
            self.assertEqual(row["wire"], SPOKEN[wire], row)
            self.assertGreater(row["output"], 0, row)
            lost = set(filter(None, (row["losses"] or "").split(",")))
            self.assertLessEqual(lost, allowed, row)


def case(driver, wire):
    def test(self):
        self.turn(driver, wire)
        self.booked(driver, wire)

    return test


for driver, wire in PAIRS:
    setattr(Agents, f"test_{driver.name}_uses_a_tool_against_{wire}", case(driver, wire))

if __name__ == "__main__":
    unittest.main()
