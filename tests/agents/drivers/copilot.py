"""GitHub Copilot with a provider of one's own: Chat Completions, and on demand Responses and Messages."""

from support import GATEWAY, KEY, NOTE


class Copilot:
    program = "copilot"
    losses = {"field:frequency_penalty", "field:presence_penalty", "sampling", "thinking_off"}
    order = ("bash", {"command": f"cat {NOTE}", "description": "Show the note"})

    @classmethod
    def ways(cls):
        v1 = f"{GATEWAY}/v1"
        yield cls("copilot", "openai_chat", ["oai", "goo"], {"TYPE": "openai", "BASE_URL": v1})
        responses = {"TYPE": "openai", "BASE_URL": v1, "WIRE_API": "responses"}
        yield cls("copilot_by_responses", "openai_responses", [], responses)
        yield cls("copilot_by_messages", "anthropic_messages", [], {"TYPE": "anthropic", "BASE_URL": GATEWAY})

    def __init__(self, name, surface, wires, provider):
        self.name, self.surface, self.wires, self.provider = name, surface, wires, provider

    def prepare(self, home):
        pass

    def arguments(self, model):
        quiet = ["--no-ask-user", "--no-custom-instructions", "--disable-builtin-mcps", "--log-level", "none"]
        return ["--output-format", "json", "--model", model, "--allow-all-tools", *quiet]

    def environment(self, home, model):
        return {
            **{f"COPILOT_PROVIDER_{field}": value for field, value in self.provider.items()},
            "COPILOT_PROVIDER_API_KEY": KEY,
            "COPILOT_MODEL": model,
            "COPILOT_HOME": str(home / "copilot"),
            "COPILOT_OFFLINE": "true",
            "COPILOT_AUTO_UPDATE": "false",
        }

    def said(self, lines):
        assert lines[-1]["type"] == "result" and lines[-1]["exitCode"] == 0, lines[-1]
        messages = [line["data"]["content"] for line in lines if line["type"] == "assistant.message"]
        return messages[-1]
