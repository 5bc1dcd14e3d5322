"""Every SDK in every case against every wire."""

import unittest

from cases import AtTheDoor, Cases
from drivers import anthropic_messages, google_genai, langchain, openai_chat, openai_responses
from support import WIRES

DRIVERS = [
    openai_chat.Driver,
    openai_responses.Driver,
    anthropic_messages.Driver,
    google_genai.Driver,
    langchain.OpenAi,
    langchain.OpenAiResponses,
    langchain.Anthropic,
    langchain.Google,
]

for driver in DRIVERS:
    for wire in WIRES:
        name = f"{driver.name} against {wire}"
        cases = AtTheDoor if wire == WIRES[0] else Cases
        globals()[name] = type(name, (cases, unittest.TestCase), {"make": driver, "wire": wire})

if __name__ == "__main__":
    unittest.main()
