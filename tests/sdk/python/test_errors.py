"""Chat completions through the gateway, on every wire: errors, as the classes that users of the SDK catch."""

import unittest

import openai

from support import TEXT, client, say


class Errors:
    """One provider; the subclasses say which."""

    provider: str

    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def create(self, script, **more):
        more = {"messages": say("hello"), **more}
        return self.client.chat.completions.create(model=f"{self.provider}/{script}", **more)

    def test_a_wrong_key_of_the_caller_is_an_authentication_error(self):
        with client("wrong") as stranger, self.assertRaises(openai.AuthenticationError) as caught:
            stranger.chat.completions.create(model=f"{self.provider}/text", messages=say("hello"))
        self.assertTrue(caught.exception.message)

    def test_a_wrong_key_of_the_gateway_is_not_the_callers_fault(self):
        for stream in [False, True]:
            with self.subTest(stream=stream), self.assertRaises(openai.InternalServerError) as caught:
                self.create("status-401", stream=stream)
            self.assertEqual(caught.exception.status_code, 502)
            self.assertEqual(caught.exception.code, "upstream_auth")
            self.assertEqual(caught.exception.response.headers["x-should-retry"], "false")

    def test_a_rate_limit_says_when_to_come_back(self):
        for stream in [False, True]:
            with self.subTest(stream=stream), self.assertRaises(openai.RateLimitError) as caught:
                self.create("429-after-30s", stream=stream)
            self.assertIn(int(caught.exception.response.headers["retry-after"]), range(1, 31))

    def test_a_field_out_of_range_is_named(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.create("text", temperature=3)
        self.assertEqual(caught.exception.param, "temperature")

    def test_a_request_that_the_upstream_refuses_is_refused(self):
        with self.assertRaises(openai.BadRequestError):
            self.create("status-400")

    def test_an_upstream_that_fails_is_a_server_error(self):
        for script in ["status-500", "status-503", "html", "empty", "close-early"]:
            with self.subTest(script), self.assertRaises(openai.InternalServerError):
                self.create(script)

    def test_an_error_in_the_middle_of_a_stream_is_raised_after_what_came_before(self):
        self.assertTrue(self.broken_stream("error-mid"))

    def test_a_stream_that_breaks_off_is_an_error_and_not_an_end(self):
        for script in ["truncate", "nofinish"]:
            with self.subTest(script):
                self.assertTrue(self.broken_stream(script))
        # A reset connection may take along what was on its way.
        self.broken_stream("reset")

    def broken_stream(self, script):
        """The text that came before the error."""
        seen = []
        with self.assertRaises(openai.APIError):
            for chunk in self.create(script, stream=True):
                seen += chunk.choices
        text = "".join(choice.delta.content or "" for choice in seen)
        self.assertTrue(TEXT.startswith(text), text)
        self.assertEqual([choice.finish_reason for choice in seen if choice.finish_reason], [])
        return text


class OpenAiChat(Errors, unittest.TestCase):
    provider = "oai"


class OpenAiResponses(Errors, unittest.TestCase):
    provider = "rsp"


class Gemini(Errors, unittest.TestCase):
    provider = "goo"


class AnthropicMessages(Errors, unittest.TestCase):
    provider = "ant"


class Models(unittest.TestCase):
    """The list of models, and what is not in it."""

    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def test_every_model_of_the_list_can_be_looked_up(self):
        models = list(self.client.models.list())
        self.assertTrue({"oai", "ant"} <= {model.model_extra["provider"] for model in models})
        for model in models[:5]:
            self.assertEqual(model.object, "model")
            self.assertEqual(self.client.models.retrieve(model.id).id, model.id)

    def test_an_unknown_model_is_not_found(self):
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("no-such-model")
        with self.assertRaises(openai.NotFoundError) as caught:
            self.client.chat.completions.create(model="no-such-model", messages=say("hello"))
        self.assertEqual(caught.exception.code, "model_not_found")


if __name__ == "__main__":
    unittest.main()
