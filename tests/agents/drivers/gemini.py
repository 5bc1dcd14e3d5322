"""Gemini CLI: generateContent."""

import json

from support import GATEWAY, KEY, NOTE

SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "general": {"enableAutoUpdate": False, "maxAttempts": 1},
    "privacy": {"usageStatisticsEnabled": False},
}


class Gemini:
    name = program = "gemini"
    surface = "gemini"
    wires = ["goo", "rsp"]
    losses = {"field:top_k", "sampling", "thinking_off"}
    order = ("run_shell_command", {"command": f"cat {NOTE}", "description": "Show the note"})

    def prepare(self, home):
        (home / ".gemini").mkdir()
        (home / ".gemini/settings.json").write_text(json.dumps(SETTINGS))

    def arguments(self, model):
        return ["-m", model, "-o", "stream-json", "--skip-trust", "--approval-mode", "yolo"]

    def environment(self, home, model):
        return {
            "GOOGLE_GEMINI_BASE_URL": GATEWAY,
            "GEMINI_API_KEY": KEY,
            "GEMINI_CLI_HOME": str(home),
            "GEMINI_CLI_NO_RELAUNCH": "true",
        }

    def said(self, lines):
        assert lines[-1]["type"] == "result" and lines[-1]["status"] == "success", lines[-1]
        last = max(place for place, line in enumerate(lines) if line["type"] == "tool_result")
        return "".join(line["content"] for line in lines[last:] if line["type"] == "message")
