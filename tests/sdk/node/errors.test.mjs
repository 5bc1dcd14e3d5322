// Chat completions through the gateway, on every wire: errors, as the classes that users of the SDK catch.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import OpenAI from "openai";

import { PROVIDERS, TEXT, client, finishesOf, say, textOf } from "./support.mjs";

/** The error of that class that the promise ends in. */
async function caught(promise, kind) {
  const error = await promise.then(
    () => assert.fail(`${kind.name} expected`),
    (error) => error,
  );
  assert.ok(error instanceof kind, `${error.name} is no ${kind.name}: ${error.message}`);
  return error;
}

for (const provider of PROVIDERS) {
  const openai = client();
  const create = (script, more = {}, from = openai) =>
    from.chat.completions.create({ model: `${provider}/${script}`, messages: say("hello"), ...more });

  /** The text that came before the stream ended in an error. */
  async function brokenStream(script) {
    const chunks = [];
    const read = async () => {
      for await (const chunk of await create(script, { stream: true })) chunks.push(chunk);
    };
    // The SDK passes on as they are the errors of a connection that was cut.
    await assert.rejects(read);
    assert.ok(TEXT.startsWith(textOf(chunks)), textOf(chunks));
    assert.deepEqual(finishesOf(chunks), []);
    return textOf(chunks);
  }

  describe(`errors of ${provider}`, () => {
    test("a wrong key of the caller is an authentication error", async () => {
      await caught(create("text", {}, client("wrong")), OpenAI.AuthenticationError);
    });

    for (const stream of [false, true]) {
      test(`a wrong key of the gateway is not the caller's fault (stream: ${stream})`, async () => {
        const error = await caught(create("status-401", { stream }), OpenAI.InternalServerError);
        assert.equal(error.status, 502);
        assert.equal(error.code, "upstream_auth");
        assert.equal(error.headers.get("x-should-retry"), "false");
      });

      test(`a rate limit says when to come back (stream: ${stream})`, async () => {
        const error = await caught(create("429-after-30s", { stream }), OpenAI.RateLimitError);
        const seconds = Number(error.headers.get("retry-after"));
        assert.ok(seconds >= 1 && seconds <= 30, `${seconds} s`);
      });
    }

    test("a field out of range is named", async () => {
      const error = await caught(create("text", { temperature: 3 }), OpenAI.BadRequestError);
      assert.equal(error.param, "temperature");
    });

    test("an upstream that fails is a server error", async () => {
      for (const script of ["status-500", "status-503", "html", "empty", "close-early"]) {
        await caught(create(script), OpenAI.InternalServerError);
      }
    });

    test("an error in the middle of a stream is raised after what came before", async () => {
      assert.ok(await brokenStream("error-mid"));
    });

    test("a stream that breaks off is an error and not an end", async () => {
      assert.ok(await brokenStream("truncate"));
      assert.ok(await brokenStream("nofinish"));
      // A reset connection may take along what was on its way.
      await brokenStream("reset");
    });
  });
}

describe("models", () => {
  const openai = client();

  test("every model of the list can be looked up", async () => {
    const models = [];
    for await (const model of openai.models.list()) models.push(model);
    const providers = new Set(models.map((model) => model.provider));
    for (const provider of PROVIDERS) assert.ok(providers.has(provider), provider);
    for (const { id } of models.slice(0, 5)) assert.equal((await openai.models.retrieve(id)).id, id);
  });

  test("an unknown model is not found", async () => {
    await caught(openai.models.retrieve("no-such-model"), OpenAI.NotFoundError);
    const asked = openai.chat.completions.create({ model: "no-such-model", messages: say("hello") });
    const error = await caught(asked, OpenAI.NotFoundError);
    assert.equal(error.code, "model_not_found");
  });
});
