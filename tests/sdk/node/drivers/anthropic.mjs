// The anthropic SDK.

import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";

import { City, GATEWAY_URL, HEADERS, PNG, RESULTS, TOOLS, say } from "../support.mjs";

export const name = "anthropic SDK";
export const connect = (apiKey) =>
  new Anthropic({ baseURL: GATEWAY_URL, apiKey, maxRetries: 0, timeout: 20_000, defaultHeaders: HEADERS });
export const status = (error) => error.status;
export const isOurs = (error) => error instanceof Anthropic.APIError;

const tools_ = TOOLS.map(({ function: { name, parameters } }) => ({ name, input_schema: parameters }));

const ask = (model, messages, more = {}) => ({ model, max_tokens: 4096, messages, ...more });

const textOf = (message) =>
  message.content
    .filter((block) => block.type === "text")
    .map((block) => block.text)
    .join("");

function said(message) {
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = message.usage;
  const prompt = input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0);
  return { text: textOf(message), prompt, output: output_tokens };
}

export async function whole(anthropic, model) {
  return said(await anthropic.messages.create(ask(model, say("hello"))));
}

export async function stream(anthropic, model, heard) {
  const stream = anthropic.messages.stream(ask(model, say("hello")));
  stream.on("text", (text) => heard.push(text));
  const message = await stream.finalMessage();
  if (!message.stop_reason) throw new Anthropic.APIError(undefined, undefined, "the stream has no end");
  return said(message);
}

export async function tools(anthropic, model, streamed) {
  const body = ask(model, say("go"), { tools: tools_ });
  const first = streamed ? await anthropic.messages.stream(body).finalMessage() : await anthropic.messages.create(body);
  const called = first.content.filter((block) => block.type === "tool_use");
  const results = called.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: RESULTS[call.name] }));
  const turns = [...say("go"), { role: "assistant", content: first.content }, ...say(results)];
  const second = await anthropic.messages.create(ask(model, turns, { tools: tools_ }));
  return { calls: called.map((call) => [call.name, call.input]), text: textOf(second) };
}

export async function structured(anthropic, model) {
  const output_config = { format: zodOutputFormat(City) };
  return (await anthropic.messages.parse(ask(model, say("a city"), { output_config }))).parsed_output;
}

export async function image(anthropic, model) {
  const source = { type: "base64", media_type: "image/png", data: PNG.split(",")[1] };
  const parts = [
    { type: "text", text: "what is this?" },
    { type: "image", source },
  ];
  return textOf(await anthropic.messages.create(ask(model, say(parts))));
}
