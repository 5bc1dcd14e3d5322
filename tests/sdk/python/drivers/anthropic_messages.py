"""The anthropic SDK."""

import base64

import anthropic

from drivers import RESULTS, Round, Said
from support import GATEWAY, HEADERS, KEY, PNG, TOOLS, City, say


class Driver:
    name = "anthropic SDK"
    lacks = {}
    unauthorized = anthropic.AuthenticationError
    limited = anthropic.RateLimitError
    failed = anthropic.InternalServerError
    # The SDK passes on as they are the errors of a connection that was cut.
    broken = Exception

    TOOLS = [
        {"name": tool["function"]["name"], "input_schema": tool["function"]["parameters"]} for tool in TOOLS
    ]

    def __init__(self, key=KEY):
        options = dict(base_url=GATEWAY, api_key=key, max_retries=0, timeout=20, default_headers=HEADERS)
        self.client = anthropic.Anthropic(**options)
        self.close = self.client.close

    def create(self, model, messages, **more):
        return self.client.messages.create(model=model, max_tokens=4096, messages=messages, **more)

    def whole(self, model):
        return said(self.create(model, say("hello")))

    def stream(self, model, heard):
        with self.client.messages.stream(model=model, max_tokens=4096, messages=say("hello")) as stream:
            for text in stream.text_stream:
                heard.append(text)
            message = stream.get_final_message()
        if message.stop_reason is None:
            raise anthropic.APIError("the stream has no end", request=None, body=None)
        return said(message)

    def tools(self, model):
        return self.answer(model, self.create(model, say("go"), tools=self.TOOLS))

    def streamed_tools(self, model):
        asked = dict(model=model, max_tokens=4096, messages=say("go"), tools=self.TOOLS)
        with self.client.messages.stream(**asked) as stream:
            return self.answer(model, stream.get_final_message())

    def answer(self, model, message):
        assert message.stop_reason == "tool_use", message.stop_reason
        called = [block for block in message.content if block.type == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": RESULTS[call.name]} for call in called
        ]
        turns = [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
        answer = self.create(model, [*say("go"), *turns], tools=self.TOOLS)
        return Round([(call.name, call.input) for call in called], said(answer).text)

    def structured(self, model):
        asked = dict(model=model, max_tokens=4096, messages=say("a city"), output_format=City)
        return self.client.messages.parse(**asked).parsed_output

    def image(self, model):
        source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(PNG).decode()}
        parts = [{"type": "text", "text": "what is this?"}, {"type": "image", "source": source}]
        return said(self.create(model, say(parts))).text


def said(message):
    text = "".join(block.text for block in message.content if block.type == "text")
    usage = message.usage
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return Said(text, usage.input_tokens + cached, usage.output_tokens)
