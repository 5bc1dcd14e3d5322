"""Claude Code: Messages."""

from support import GATEWAY, KEY, NOTE


class Claude:
    name = program = "claude"
    surface = "anthropic_messages"
    wires = ["ant", "oai"]
    losses = {"field:context_management", "field:user", "system_moved", "effort"}
    order = ("Bash", {"command": f"cat {NOTE}", "description": "Show the note"})

    def prepare(self, home):
        pass

    def arguments(self, model):
        quiet = ["--strict-mcp-config", "--setting-sources", "", "--no-session-persistence"]
        tools = ["--allowedTools", "Bash(cat:*)"]
        return ["-p", "--model", model, "--output-format", "stream-json", "--verbose", *quiet, *tools]

    def environment(self, home, model):
        return {
            "ANTHROPIC_BASE_URL": GATEWAY,
            "ANTHROPIC_AUTH_TOKEN": KEY,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": model,
            "CLAUDE_CONFIG_DIR": str(home / "claude"),
            "CLAUDE_CODE_MAX_RETRIES": "0",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_TELEMETRY": "1",
        }

    def said(self, lines):
        results = [line for line in lines if line.get("type") == "result"]
        assert len(results) == 1 and not results[0]["is_error"], results
        return results[0]["result"]
