// What every test needs: clients, and what the scripted upstream answers.

import OpenAI from "openai";
import { z } from "zod";

export const { GATEWAY_URL, GATEWAY_KEY } = process.env;

/** Characters of one to four bytes; `answer::TEXT` of the scripted upstream. */
export const TEXT = "Hello from the scripted provider: Grüße, 你好, 🦀 and € 5.";

/** 1 x 1 pixel. */
export const PNG =
  "data:image/png;base64," +
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const tool = (name, thing) => ({
  type: "function",
  function: {
    name,
    description: `The ${thing} in a city`,
    parameters: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer" } },
      required: ["city", "days"],
      additionalProperties: false,
    },
  },
});

export const TOOLS = [tool("get_weather", "weather"), tool("get_time", "time")];

/** One provider a wire of the gateway to its upstream: OpenAI Chat, Anthropic Messages, OpenAI Responses, Gemini. */
export const PROVIDERS = ["oai", "ant", "rsp", "goo"];

/** A failing provider must be seen to fail, not be stood in for by another one. */
export const HEADERS = { "x-gateway-no-fallback": "true" };

/** Retries are off: a test wants to see the first answer. */
export function client(apiKey = GATEWAY_KEY) {
  return new OpenAI({
    baseURL: `${GATEWAY_URL}/v1`,
    apiKey,
    maxRetries: 0,
    timeout: 20_000,
    defaultHeaders: HEADERS,
  });
}

/** A structured answer; the upstream fills the schema it was given. */
export const City = z.object({ name: z.string(), people: z.number().int(), rivers: z.array(z.string()) });

/** What each tool answers in a round. */
export const RESULTS = { get_weather: "sunny spells", get_time: "half past nine" };

export const say = (content) => [{ role: "user", content }];

/** All chunks of a stream. */
export async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** The visible text of chunks. */
export const textOf = (chunks) =>
  chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta.content ?? "")).join("");

/** The reasons to finish that chunks give. */
export const finishesOf = (chunks) =>
  chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.finish_reason)).filter(Boolean);
