// What every SDK must be able to do through the gateway, whichever wire it speaks to its upstream. How an SDK does it is
// its driver's business:
//
//   name                          of the SDK
//   connect(key)                  a client, all that follows is asked of it
//   whole(client, model)          {text, prompt, output}: an answer and its tokens
//   stream(client, model, heard)  the same; the pieces of text go into `heard` as they come
//   tools(client, model, stream)  {calls, text}: the calls in order, and what was said once their results were in
//   structured(client, model)     a City
//   image(client, model)          what was said of a picture
//   status(error)                 the HTTP status that an error of the SDK tells
//   isOurs(error)                 it is of the class that users of the SDK catch

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { GATEWAY_KEY, PROVIDERS, RESULTS, TEXT } from "./support.mjs";

const ARGUMENTS = { city: "café", days: 7 };

export function cases(driver) {
  for (const wire of PROVIDERS) describe(`${driver.name} against ${wire}`, () => against(driver, wire));
}

function against(driver, wire) {
  const client = driver.connect(GATEWAY_KEY);
  const model = (script) => `${wire}/${script}`;

  test("a whole answer and what it cost", async () => {
    const said = await driver.whole(client, model("text"));
    assert.equal(said.text, TEXT);
    assert.equal(said.prompt, 25);
    assert.ok(said.output > 0);
  });

  for (const script of ["text", "text+cut=1", "text+cut=utf8"]) {
    test(`a stream adds up to the same answer and cost (${script})`, async () => {
      const heard = [];
      const said = await driver.stream(client, model(script), heard);
      assert.deepEqual(said, await driver.whole(client, model("text")));
      assert.ok(heard.filter(Boolean).length > 1);
    });
  }

  for (const stream of [false, true]) {
    for (const script of ["tools-parallel", "tools-parallel+thinking"]) {
      test(`a tool round trip (${script}, stream: ${stream})`, async () => {
        const { calls, text } = await driver.tools(client, model(script), stream);
        assert.deepEqual(calls, [
          ["get_weather", ARGUMENTS],
          ["get_time", ARGUMENTS],
        ]);
        for (const result of Object.values(RESULTS)) assert.ok(text.includes(result), text);
      });
    }
  }

  test("structured output", async () => {
    const { name, people, rivers } = await driver.structured(client, model("text"));
    assert.deepEqual({ name, rivers }, { name: "café", rivers: ["café"] });
    // The bounds that zod gives an integer need not reach every model.
    assert.ok(Number.isInteger(people));
  });

  test("an image reaches the model", async () => {
    assert.equal(await driver.image(client, model("image-echo")), "1 image: image/png");
  });

  async function fails(status, promise) {
    const error = await promise.then(
      () => assert.fail("an error was expected"),
      (error) => error,
    );
    assert.ok(driver.isOurs(error), `${error?.name}: ${error?.message}`);
    assert.equal(driver.status(error), status);
  }

  // The door is the same before all wires, and lets one address send few wrong keys a minute.
  if (wire === PROVIDERS[0]) {
    test("a wrong key is an error of its class", async () => {
      await fails(401, driver.whole(driver.connect("wrong-key"), model("text")));
    });
  }

  test("a rate limit is an error of its class", async () => {
    await fails(429, driver.whole(client, model("429-after-30s")));
    await fails(429, driver.stream(client, model("429-after-30s"), []));
  });

  test("an upstream that fails is an error of its class", async () => {
    // It refuses the gateway's key, which is no fault of the caller.
    await fails(502, driver.whole(client, model("status-401")));
  });

  for (const script of ["error-mid", "truncate", "nofinish"]) {
    test(`a stream that breaks is an error after what came before (${script})`, async () => {
      const heard = [];
      await assert.rejects(() => driver.stream(client, model(script), heard));
      assert.ok(TEXT.startsWith(heard.join("")), heard.join(""));
    });
  }
}
