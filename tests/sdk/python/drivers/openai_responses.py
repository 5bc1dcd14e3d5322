"""The openai SDK, Responses."""

import base64
import json

import openai

from drivers import RESULTS, Round, Said
from support import KEY, PNG, TOOLS, City, client, say


class Driver:
    name = "openai SDK, responses"
    lacks = {}
    unauthorized = openai.AuthenticationError
    limited = openai.RateLimitError
    failed = openai.InternalServerError
    broken = openai.APIError

    TOOLS = [{"type": "function", "strict": True, **tool["function"]} for tool in TOOLS]

    def __init__(self, key=KEY):
        self.client = client(key)
        self.close = self.client.close

    def create(self, model, items, **more):
        return self.client.responses.create(model=model, input=items, store=False, **more)

    def whole(self, model):
        answer = self.create(model, "hello")
        assert answer.status == "completed", answer.status
        return Said(answer.output_text, answer.usage.input_tokens, answer.usage.output_tokens)

    def stream(self, model, heard):
        numbers, answer = [], None
        for event in self.create(model, "hello", stream=True):
            numbers.append(event.sequence_number)
            if event.type == "response.output_text.delta":
                heard.append(event.delta)
            if event.type == "response.completed":
                answer = event.response
            if event.type == "response.failed":
                raise openai.APIError(event.response.error.message, request=None, body=None)
        if answer is None:
            raise openai.APIError("the stream has no end", request=None, body=None)
        assert numbers == list(range(len(numbers))), numbers
        assert answer.output_text == "".join(heard), answer.output_text
        return Said("".join(heard), answer.usage.input_tokens, answer.usage.output_tokens)

    def tools(self, model):
        include = ["reasoning.encrypted_content"]
        return self.answer(model, self.create(model, say("go"), tools=self.TOOLS, include=include))

    def streamed_tools(self, model):
        asked = dict(model=model, input=say("go"), tools=self.TOOLS, store=False)
        with self.client.responses.stream(**asked, include=["reasoning.encrypted_content"]) as stream:
            return self.answer(model, stream.get_final_response())

    def answer(self, model, response):
        output = [item.model_dump(exclude_none=True) for item in response.output]
        for item in output:
            item.pop("parsed_arguments", None)
        called = [item for item in response.output if item.type == "function_call"]
        results = [
            {"type": "function_call_output", "call_id": call.call_id, "output": RESULTS[call.name]} for call in called
        ]
        answer = self.create(model, [*say("go"), *output, *results], tools=self.TOOLS)
        return Round([(call.name, json.loads(call.arguments)) for call in called], answer.output_text)

    def structured(self, model):
        return self.client.responses.parse(model=model, input="a city", text_format=City).output_parsed

    def image(self, model):
        url = "data:image/png;base64," + base64.b64encode(PNG).decode()
        parts = [{"type": "input_text", "text": "what is this?"}, {"type": "input_image", "image_url": url}]
        return self.create(model, say(parts)).output_text
