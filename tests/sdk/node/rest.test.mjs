// What the SDKs do besides answering: embeddings, counting, lists of models.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { embedMany } from "ai";
import { createOpenAI } from "@ai-sdk/openai";

import * as anthropic from "./drivers/anthropic.mjs";
import * as google from "./drivers/google.mjs";
import { GATEWAY_KEY, GATEWAY_URL, HEADERS, PROVIDERS, client, collect, say } from "./support.mjs";

/** Those of the wires that have embeddings. */
const EMBEDDING = ["oai", "goo"];

const FIVE = "one two three four five";

describe("openai SDK", () => {
  for (const wire of EMBEDDING) {
    test(`embeddings are the same in either encoding (${wire})`, async () => {
      const asked = { model: `${wire}/text`, input: ["one", "two"] };
      const vectors = ({ data }) => data.map(({ embedding }) => Array.from(embedding));
      // The SDK asks for base64 by itself, and decodes it.
      const packed = vectors(await client().embeddings.create(asked));
      assert.deepEqual(packed, vectors(await client().embeddings.create({ ...asked, encoding_format: "float" })));
      assert.deepEqual([2, 8], [packed.length, packed[0].length]);
      assert.notDeepEqual(packed[0], packed[1]);
    });
  }
});

describe("openai SDK, stored responses", () => {
  for (const wire of PROVIDERS) {
    test(`a stored response is given out again, gone on from and deleted (${wire})`, async () => {
      const { responses } = client();
      const asked = { model: `${wire}/text`, store: true };
      const first = await responses.create({ ...asked, input: "Hi" });
      assert.equal((await responses.retrieve(first.id)).output_text, first.output_text);
      const items = await collect(await responses.inputItems.list(first.id));
      assert.deepEqual(items.map(({ content }) => content[0].text), ["Hi"]);
      const second = await responses.create({ ...asked, input: "And?", previous_response_id: first.id });
      assert.equal(second.previous_response_id, first.id);
      await responses.delete(first.id);
      await assert.rejects(responses.retrieve(first.id), { status: 404 });
      const broken = responses.create({ ...asked, input: "So?", previous_response_id: second.id });
      await assert.rejects(broken, { status: 400, code: "previous_response_not_found" });
    });
  }
});

describe("anthropic SDK", () => {
  for (const wire of PROVIDERS) {
    test(`tokens are counted whoever would answer (${wire})`, async () => {
      const asked = { model: `${wire}/text`, messages: say(FIVE) };
      const { input_tokens } = await anthropic.connect(GATEWAY_KEY).messages.countTokens(asked);
      assert.ok(input_tokens >= 5, `${input_tokens}`);
    });
  }

  test("models are listed", async () => {
    const models = await collect(await anthropic.connect(GATEWAY_KEY).models.list());
    assert.ok(models.length > 0 && models.every((model) => model.type === "model"));
  });
});

describe("@google/genai SDK", () => {
  const { models } = google.connect(GATEWAY_KEY);

  for (const wire of EMBEDDING) {
    test(`texts are embedded (${wire})`, async () => {
      const { embeddings } = await models.embedContent({ model: `${wire}/text`, contents: ["one", "two"] });
      assert.deepEqual(embeddings.map((row) => row.values.length), [8, 8]);
    });
  }

  for (const wire of PROVIDERS) {
    test(`tokens are counted whoever would answer (${wire})`, async () => {
      const { totalTokens } = await models.countTokens({ model: `${wire}/text`, contents: FIVE });
      assert.ok(totalTokens >= 5, `${totalTokens}`);
    });
  }

  test("models are listed", async () => {
    const listed = await collect(await models.list());
    assert.ok(listed.length > 0 && listed.every((model) => model.name.startsWith("models/")));
  });
});

describe("AI SDK", () => {
  for (const wire of EMBEDDING) {
    test(`texts are embedded (${wire})`, async () => {
      const provider = createOpenAI({ baseURL: `${GATEWAY_URL}/v1`, apiKey: GATEWAY_KEY, headers: HEADERS });
      const { embeddings } = await embedMany({ model: provider.embeddingModel(`${wire}/text`), values: ["a", "b"] });
      assert.deepEqual(embeddings.map((row) => row.length), [8, 8]);
    });
  }
});
