"""opencode with the clients of the AI SDK that it brings: Chat Completions, and on demand Responses and Messages."""

import json

from support import GATEWAY, KEY, NOTE

QUIET = ["AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS", "PROJECT_CONFIG"]


class OpenCode:
    program = "opencode"
    losses = set()
    order = ("bash", {"command": f"cat {NOTE}", "description": "Show the note"})

    @classmethod
    def ways(cls):
        yield cls("opencode", "openai_chat", ["oai", "rsp"], "@ai-sdk/openai-compatible")
        yield cls("opencode_by_responses", "openai_responses", [], "@ai-sdk/openai")
        yield cls("opencode_by_messages", "anthropic_messages", [], "@ai-sdk/anthropic")

    def __init__(self, name, surface, wires, client):
        self.name, self.surface, self.wires, self.client = name, surface, wires, client

    def prepare(self, home):
        pass

    def arguments(self, model):
        return ["run", "--pure", "--format", "json", "--title", "note", "-m", f"gateway/{model}"]

    def environment(self, home, model):
        folders = {f"XDG_{kind}_HOME": str(home / kind) for kind in ["DATA", "CONFIG", "STATE", "CACHE"]}
        return {
            "OPENCODE_CONFIG_CONTENT": json.dumps(self.config(model)),
            "GATEWAY_KEY": KEY,
            **folders,
            **{f"OPENCODE_DISABLE_{what}": "1" for what in QUIET},
        }

    def config(self, model):
        options = {"baseURL": f"{GATEWAY}/v1", "apiKey": "{env:GATEWAY_KEY}"}
        provider = {"npm": self.client, "options": options, "models": {model: {}}}
        return {"provider": {"gateway": provider}, "permission": {"bash": "allow"}}

    def said(self, lines):
        assert not [line for line in lines if line["type"] == "error"], lines
        return [line["part"]["text"] for line in lines if line["type"] == "text"][-1]
