"""Chat completions through the gateway, on every wire: answers."""

import asyncio
import base64
import json
import unittest

from support import CITY, KEY, PNG, TEXT, TOOLS, City, async_client, client, received_upstream, say


class Answers:
    """One provider; the subclasses say which."""

    provider: str

    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def model(self, script):
        return f"{self.provider}/{script}"

    def create(self, script, messages=None, **more):
        messages = messages or say("hello")
        return self.client.chat.completions.create(model=self.model(script), messages=messages, **more)

    def test_a_whole_answer_is_what_the_model_said(self):
        answer = self.create("text")
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(answer.choices[0].message.content, TEXT)
        self.assertEqual(answer.choices[0].message.role, "assistant")
        self.assertEqual(answer.choices[0].finish_reason, "stop")

    def test_a_stream_adds_up_to_the_same_answer(self):
        for script in ["text", "text+cut=1", "text+cut=utf8+crlf", "text+comments+multiline"]:
            with self.subTest(script):
                chunks = list(self.create(script, stream=True))
                choices = [choice for chunk in chunks for choice in chunk.choices]
                self.assertEqual("".join(choice.delta.content or "" for choice in choices), TEXT)
                self.assertEqual(choices[0].delta.role, "assistant")
                self.assertEqual([c.finish_reason for c in choices if c.finish_reason], ["stop"])
                self.assertEqual(len({chunk.id for chunk in chunks}), 1)

    def test_usage_counts_what_was_cached_as_part_of_the_prompt(self):
        usage = self.create("text").usage
        self.assertEqual(usage.prompt_tokens, 25)
        self.assertEqual(usage.prompt_tokens_details.cached_tokens, 5)
        self.assertGreater(usage.completion_tokens, 0)
        self.assertEqual(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)

    def test_a_stream_brings_usage_when_asked_and_only_then(self):
        asked = list(self.create("text", stream=True, stream_options={"include_usage": True}))
        self.assertEqual(asked[-1].choices, [])
        self.assertEqual(asked[-1].usage.total_tokens, self.create("text").usage.total_tokens)
        self.assertTrue(all(chunk.usage is None for chunk in asked[:-1]))
        unasked = list(self.create("text", stream=True))
        self.assertTrue(all(chunk.choices and chunk.usage is None for chunk in unasked))

    def test_an_answer_says_who_gave_it(self):
        raw = self.client.chat.completions.with_raw_response.create(model=self.model("text"), messages=say("hello"))
        gateway = raw.parse().model_extra["x_gateway"]
        self.assertEqual(gateway["requestedModel"], self.model("text"))
        self.assertEqual(gateway["resolvedProvider"], self.provider)
        self.assertIs(gateway["fallbackUsed"], False)
        self.assertEqual(gateway["tokensUsed"], raw.parse().usage.total_tokens)
        self.assertIn("requestedProvider", gateway)
        self.assertEqual(raw.headers["x-gateway-provider"], self.provider)
        self.assertTrue(raw.headers["x-request-id"])

    def test_every_role_of_a_long_conversation_reaches_the_model(self):
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "Be kind."},
            *say("first"),
            {"role": "assistant", "content": "one"},
            *say("second: ünïcode 🦀"),
        ]
        answer = self.create("echo", messages, max_completion_tokens=50, temperature=0.5)
        self.assertEqual(answer.choices[0].message.content, "second: ünïcode 🦀")

    def check_calls(self, message):
        self.assertEqual([call.function.name for call in message.tool_calls], ["get_weather", "get_time"])
        self.assertEqual(len({call.id for call in message.tool_calls}), 2)
        for call in message.tool_calls:
            self.assertEqual(json.loads(call.function.arguments), {"city": "café", "days": 7})

    def send_results(self, message):
        asked = {"role": "assistant", "tool_calls": [call.model_dump(exclude_none=True) for call in message.tool_calls]}
        results = [
            {"role": "tool", "tool_call_id": call.id, "content": f"result {number} of {call.function.name}"}
            for number, call in enumerate(message.tool_calls)
        ]
        answer = self.create("tools-parallel", [*say("weather and time?"), asked, *results], tools=TOOLS)
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        for result in results:
            self.assertIn(result["content"], answer.choices[0].message.content)

    def test_parallel_tool_calls_and_their_results_make_the_round(self):
        answer = self.create("tools-parallel", tools=TOOLS)
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        self.check_calls(answer.choices[0].message)
        self.send_results(answer.choices[0].message)

    def test_streamed_tool_calls_are_put_together_by_the_sdk(self):
        model = self.model("tools-parallel+cut=1")
        with self.client.chat.completions.stream(model=model, messages=say("hello"), tools=TOOLS) as stream:
            answer = stream.get_final_completion()
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        for call in answer.choices[0].message.tool_calls:
            call.function.parsed_arguments = None
        self.check_calls(answer.choices[0].message)

    def test_a_tool_that_must_be_called_is_called(self):
        choice = {"type": "function", "function": {"name": "get_time"}}
        answer = self.create("text", tools=TOOLS, tool_choice=choice)
        self.assertEqual([call.function.name for call in answer.choices[0].message.tool_calls], ["get_time"])

    def test_structured_output_is_parsed_by_the_sdk(self):
        answer = self.client.chat.completions.parse(
            model=self.model("text"), messages=say("a city"), response_format=City
        )
        self.assertEqual(answer.choices[0].message.parsed, CITY)

    def test_streamed_structured_output_is_parsed_by_the_sdk(self):
        model = self.model("text")
        with self.client.chat.completions.stream(model=model, messages=say("a city"), response_format=City) as stream:
            answer = stream.get_final_completion()
        self.assertEqual(answer.choices[0].message.parsed, CITY)

    def test_an_image_reaches_the_model(self):
        url = "data:image/png;base64," + base64.b64encode(PNG).decode()
        parts = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": url}}]
        answer = self.create("image-echo", [{"role": "user", "content": parts}])
        self.assertEqual(answer.choices[0].message.content, "1 image: image/png")

    def test_many_at_once_get_each_their_own_answer(self):
        async def ask(session, number):
            stream = await session.chat.completions.create(
                model=self.model("echo"), messages=say(f"number {number}"), stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

        async def ask_all():
            async with async_client() as session:
                return await asyncio.gather(*(ask(session, number) for number in range(16)))

        self.assertEqual(asyncio.run(ask_all()), [f"number {number}" for number in range(16)])

    def test_the_key_of_the_caller_stays_here(self):
        self.create("text")
        self.assertNotIn(KEY, received_upstream())


class OpenAiChat(Answers, unittest.TestCase):
    provider = "oai"


class OpenAiResponses(Answers, unittest.TestCase):
    provider = "rsp"


class Gemini(Answers, unittest.TestCase):
    provider = "goo"


class AnthropicMessages(Answers, unittest.TestCase):
    provider = "ant"


if __name__ == "__main__":
    unittest.main()
