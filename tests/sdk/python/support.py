"""What every test needs: clients, and what the scripted upstream answers."""

import base64
import os
import urllib.request

from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

GATEWAY = os.environ["GATEWAY_URL"]
KEY = os.environ["GATEWAY_KEY"]
UPSTREAM = os.environ["UPSTREAM_URL"]

# One provider a wire of the gateway to its upstream: OpenAI Chat, Anthropic Messages, OpenAI Responses, Gemini.
WIRES = ["oai", "ant", "rsp", "goo"]

# A failing provider must be seen to fail, not be stood in for by another one.
HEADERS = {"x-gateway-no-fallback": "true"}

# Characters of one to four bytes; `answer::TEXT` of the scripted upstream.
TEXT = "Hello from the scripted provider: Grüße, 你好, 🦀 and € 5."

# 1 x 1 pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"The {thing} in a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                "required": ["city", "days"],
                "additionalProperties": False,
            },
        },
    }
    for name, thing in [("get_weather", "weather"), ("get_time", "time")]
]


class City(BaseModel):
    """A structured answer; the upstream fills the schema it was given."""

    name: str
    people: int
    rivers: list[str]


CITY = City(name="café", people=7, rivers=["café"])


def options(key=KEY):
    """Retries and fallback are off: a test wants to see the first answer, of the provider it named."""
    return dict(base_url=f"{GATEWAY}/v1", api_key=key, max_retries=0, timeout=20, default_headers=HEADERS)


def client(key=KEY):
    return OpenAI(**options(key))


def async_client():
    return AsyncOpenAI(**options())


def say(text):
    return [{"role": "user", "content": text}]


def received_upstream():
    """Every request the upstream saw, as text."""
    with urllib.request.urlopen(f"{UPSTREAM}/_received") as answer:
        return answer.read().decode()
