// Chat completions through the gateway, on every wire: answers.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { zodResponseFormat } from "openai/helpers/zod";

import { City, PNG, PROVIDERS, TEXT, TOOLS, client, collect, finishesOf, say, textOf } from "./support.mjs";

/** The upstream fills the schema it was given; the bounds that zod gives an integer need not reach every model. */
function checkCity({ name, people, rivers }) {
  assert.deepEqual({ name, rivers }, { name: "café", rivers: ["café"] });
  assert.ok(Number.isInteger(people));
}

for (const provider of PROVIDERS) {
  const openai = client();
  const model = (script) => `${provider}/${script}`;
  const create = (script, more = {}) =>
    openai.chat.completions.create({ model: model(script), messages: say("hello"), ...more });

  describe(`answers of ${provider}`, () => {
    test("a whole answer is what the model said", async () => {
      const answer = await create("text");
      assert.equal(answer.object, "chat.completion");
      assert.equal(answer.choices[0].message.role, "assistant");
      assert.equal(answer.choices[0].message.content, TEXT);
      assert.equal(answer.choices[0].finish_reason, "stop");
    });

    for (const script of ["text", "text+cut=1", "text+cut=utf8+crlf", "text+comments+multiline"]) {
      test(`a stream adds up to the same answer (${script})`, async () => {
        const chunks = await collect(await create(script, { stream: true }));
        assert.equal(textOf(chunks), TEXT);
        assert.equal(chunks[0].choices[0].delta.role, "assistant");
        assert.deepEqual(finishesOf(chunks), ["stop"]);
        assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
      });
    }

    test("usage counts what was cached as part of the prompt", async () => {
      const { usage } = await create("text");
      assert.equal(usage.prompt_tokens, 25);
      assert.equal(usage.prompt_tokens_details.cached_tokens, 5);
      assert.ok(usage.completion_tokens > 0);
      assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
    });

    test("a stream brings usage when asked and only then", async () => {
      const asked = await collect(await create("text", { stream: true, stream_options: { include_usage: true } }));
      const last = asked.pop();
      assert.deepEqual(last.choices, []);
      assert.equal(last.usage.total_tokens, (await create("text")).usage.total_tokens);
      assert.ok(asked.every((chunk) => !chunk.usage));
      const unasked = await collect(await create("text", { stream: true }));
      assert.ok(unasked.every((chunk) => chunk.choices.length > 0 && !chunk.usage));
    });

    test("an answer says who gave it", async () => {
      const { data, response } = await create("text").withResponse();
      assert.equal(data.x_gateway.requestedModel, model("text"));
      assert.equal(data.x_gateway.resolvedProvider, provider);
      assert.equal(data.x_gateway.fallbackUsed, false);
      assert.equal(data.x_gateway.tokensUsed, data.usage.total_tokens);
      assert.ok("requestedProvider" in data.x_gateway);
      assert.equal(response.headers.get("x-gateway-provider"), provider);
      assert.ok(response.headers.get("x-request-id"));
    });

    function checkCalls({ tool_calls: calls }) {
      assert.deepEqual(calls.map((call) => call.function.name), ["get_weather", "get_time"]);
      assert.equal(new Set(calls.map((call) => call.id)).size, 2);
      for (const call of calls) {
        assert.deepEqual(JSON.parse(call.function.arguments), { city: "café", days: 7 });
      }
    }

    test("parallel tool calls and their results make the round", async () => {
      const first = await create("tools-parallel", { tools: TOOLS });
      const { message, finish_reason } = first.choices[0];
      assert.equal(finish_reason, "tool_calls");
      checkCalls(message);
      const results = message.tool_calls.map((call, number) => ({
        role: "tool",
        tool_call_id: call.id,
        content: `result ${number} of ${call.function.name}`,
      }));
      const messages = [...say("weather and time?"), message, ...results];
      const second = await create("tools-parallel", { tools: TOOLS, messages });
      assert.equal(second.choices[0].finish_reason, "stop");
      for (const { content } of results) assert.ok(second.choices[0].message.content.includes(content));
    });

    test("streamed tool calls are put together by the SDK", async () => {
      const body = { model: model("tools-parallel+cut=1"), messages: say("hello"), tools: TOOLS };
      const answer = await openai.chat.completions.stream(body).finalChatCompletion();
      assert.equal(answer.choices[0].finish_reason, "tool_calls");
      checkCalls(answer.choices[0].message);
    });

    test("structured output is parsed by the SDK", async () => {
      const answer = await openai.chat.completions.parse({
        model: model("text"),
        messages: say("a city"),
        response_format: zodResponseFormat(City, "city"),
      });
      checkCity(answer.choices[0].message.parsed);
    });

    test("streamed structured output is parsed by the SDK", async () => {
      const body = { model: model("text"), messages: say("a city"), response_format: zodResponseFormat(City, "city") };
      const answer = await openai.chat.completions.stream(body).finalChatCompletion();
      checkCity(answer.choices[0].message.parsed);
    });

    test("an image reaches the model", async () => {
      const parts = [
        { type: "text", text: "what is this?" },
        { type: "image_url", image_url: { url: PNG } },
      ];
      const answer = await create("image-echo", { messages: say(parts) });
      assert.equal(answer.choices[0].message.content, "1 image: image/png");
    });

    test("leaving a stream early leaves the connection fit for the next request", async () => {
      for await (const chunk of await create("text+n=50+delay=20ms", { stream: true })) {
        if (chunk.choices[0]?.delta.content) break;
      }
      assert.equal((await create("text")).choices[0].message.content, TEXT);
    });
  });
}
