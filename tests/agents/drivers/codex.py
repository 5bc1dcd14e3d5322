"""Codex: Responses, over HTTP, as it speaks to any provider but its maker."""

from support import GATEWAY, KEY, NOTE

CONFIG = f"""
model_provider = "gateway"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.gateway]
name = "gateway"
base_url = "{GATEWAY}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


class Codex:
    name = program = "codex"
    surface = "openai_responses"
    wires = ["rsp", "ant"]
    losses = {"web_search", "thinking_off", "field:client_metadata"}
    order = ("exec_command", {"cmd": f"cat {NOTE}"})

    def prepare(self, home):
        (home / "codex").mkdir()
        (home / "codex/config.toml").write_text(CONFIG)

    def arguments(self, model):
        # Its sandbox asks for rights that a container seldom gives; all it is told to do is to show a file.
        place = ["--skip-git-repo-check", "--ephemeral", "-s", "danger-full-access"]
        # Gemini has no web search beside functions, and the gateway says so rather than leave one of them out.
        search = ["-c", 'web_search="disabled"'] if model.endswith("goo") else []
        return ["exec", "--json", "-m", model, *place, *search, "-"]

    def environment(self, home, model):
        return {"CODEX_HOME": str(home / "codex"), "GATEWAY_KEY": KEY}

    def said(self, lines):
        assert any(line["type"] == "turn.completed" for line in lines), lines
        items = [line["item"] for line in lines if line["type"] == "item.completed"]
        return [item["text"] for item in items if item["type"] == "agent_message"][-1]
