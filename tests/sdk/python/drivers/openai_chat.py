"""The openai SDK, Chat Completions."""

import base64
import json

import openai

from drivers import RESULTS, Round, Said
from support import KEY, PNG, TOOLS, City, client, say


class Driver:
    name = "openai SDK, chat"
    lacks = {}
    unauthorized = openai.AuthenticationError
    limited = openai.RateLimitError
    failed = openai.InternalServerError
    broken = openai.APIError

    def __init__(self, key=KEY):
        self.client = client(key)
        self.close = self.client.close

    def create(self, model, content, **more):
        messages = content if isinstance(content, list) and "role" in content[0] else say(content)
        return self.client.chat.completions.create(model=model, messages=messages, **more)

    def whole(self, model):
        answer = self.create(model, "hello")
        return Said(answer.choices[0].message.content, answer.usage.prompt_tokens, answer.usage.completion_tokens)

    def stream(self, model, heard):
        said = Said("")
        for chunk in self.create(model, "hello", stream=True, stream_options={"include_usage": True}):
            for choice in chunk.choices:
                heard.append(choice.delta.content or "")
            if chunk.usage:
                said = Said("", chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        said.text = "".join(heard)
        return said

    def tools(self, model):
        return self.answer(model, self.create(model, "go", tools=TOOLS).choices[0].message)

    def streamed_tools(self, model):
        with self.client.chat.completions.stream(model=model, messages=say("go"), tools=TOOLS) as stream:
            return self.answer(model, stream.get_final_completion().choices[0].message)

    def answer(self, model, message):
        asked = message.model_dump(exclude_none=True)
        for call in asked["tool_calls"]:
            call["function"].pop("parsed_arguments", None)
        results = [
            {"role": "tool", "tool_call_id": call.id, "content": RESULTS[call.function.name]}
            for call in message.tool_calls
        ]
        answer = self.create(model, [*say("go"), asked, *results], tools=TOOLS)
        calls = [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls]
        return Round(calls, answer.choices[0].message.content)

    def structured(self, model):
        asked = dict(model=model, messages=say("a city"), response_format=City)
        return self.client.chat.completions.parse(**asked).choices[0].message.parsed

    def image(self, model):
        url = "data:image/png;base64," + base64.b64encode(PNG).decode()
        parts = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": url}}]
        return self.create(model, parts).choices[0].message.content
