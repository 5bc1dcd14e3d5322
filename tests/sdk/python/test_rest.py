"""What the SDKs do besides answering: embeddings, counting, lists of models, legacy completions."""

import unittest

import openai
from drivers import anthropic_messages, google_genai
from support import TEXT, WIRES, client, say

# Those of the wires that have embeddings.
EMBEDDING = ["oai", "goo"]


class OpenAi(unittest.TestCase):
    def setUp(self):
        self.client = client()
        self.addCleanup(self.client.close)

    def test_embeddings_are_the_same_in_either_encoding(self):
        for wire in EMBEDDING:
            with self.subTest(wire):
                # The SDK asks for base64 by itself, and decodes it.
                asked = dict(model=f"{wire}/text", input=["one", "two"])
                packed = self.client.embeddings.create(**asked)
                plain = self.client.embeddings.create(**asked, encoding_format="float")
                vectors = [row.embedding for row in packed.data]
                self.assertEqual(vectors, [row.embedding for row in plain.data])
                self.assertEqual([len(vector) for vector in vectors], [8, 8])
                self.assertNotEqual(*vectors)

    def test_a_prompt_is_completed_whole_and_streamed(self):
        whole = self.client.completions.create(model="oai/text", prompt="Once")
        self.assertEqual(whole.choices[0].text, TEXT)
        stream = self.client.completions.create(model="oai/text", prompt="Once", stream=True)
        self.assertEqual("".join(chunk.choices[0].text for chunk in stream), TEXT)


    def test_a_stored_response_is_given_out_again_gone_on_from_and_deleted(self):
        responses = self.client.responses
        for wire in WIRES:
            with self.subTest(wire):
                asked = dict(model=f"{wire}/text", store=True)
                first = responses.create(**asked, input="Hi")
                self.assertEqual(responses.retrieve(first.id).output_text, first.output_text)
                items = list(responses.input_items.list(first.id))
                self.assertEqual([item.content[0].text for item in items], ["Hi"])
                second = responses.create(**asked, input="And?", previous_response_id=first.id)
                self.assertEqual((second.previous_response_id, second.output_text), (first.id, TEXT))
                responses.delete(first.id)
                with self.assertRaises(openai.NotFoundError):
                    responses.retrieve(first.id)
                with self.assertRaises(openai.BadRequestError) as refused:
                    responses.create(**asked, input="So?", previous_response_id=second.id)
                self.assertEqual(refused.exception.code, "previous_response_not_found")


class Anthropic(unittest.TestCase):
    def setUp(self):
        self.driver = anthropic_messages.Driver()
        self.addCleanup(self.driver.close)

    def test_tokens_are_counted_whoever_would_answer(self):
        for wire in WIRES:
            with self.subTest(wire):
                asked = dict(model=f"{wire}/text", messages=say("one two three four five"))
                self.assertGreaterEqual(self.driver.client.messages.count_tokens(**asked).input_tokens, 5)

    def test_models_are_listed(self):
        models = list(self.driver.client.models.list())
        self.assertTrue(models and all(model.type == "model" for model in models))


class Google(unittest.TestCase):
    def setUp(self):
        self.driver = google_genai.Driver()
        self.addCleanup(self.driver.close)
        self.models = self.driver.client.models

    def test_texts_are_embedded(self):
        for wire in EMBEDDING:
            with self.subTest(wire):
                rows = self.models.embed_content(model=f"{wire}/text", contents=["one", "two"]).embeddings
                self.assertEqual([len(row.values) for row in rows], [8, 8])

    def test_tokens_are_counted_whoever_would_answer(self):
        for wire in WIRES:
            with self.subTest(wire):
                counted = self.models.count_tokens(model=f"{wire}/text", contents="one two three four five")
                self.assertGreaterEqual(counted.total_tokens, 5)

    def test_models_are_listed(self):
        models = list(self.models.list())
        self.assertTrue(models and all(model.name.startswith("models/") for model in models))


if __name__ == "__main__":
    unittest.main()
