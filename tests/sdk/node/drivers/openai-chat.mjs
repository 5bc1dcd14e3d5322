// The openai SDK, Chat Completions.

import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";

import { City, PNG, RESULTS, TOOLS, client, say } from "../support.mjs";

export const name = "openai SDK, chat";
export const connect = client;
export const status = (error) => error.status;
export const isOurs = (error) => error instanceof OpenAI.APIError;

const create = (openai, model, messages, more = {}) => openai.chat.completions.create({ model, messages, ...more });

export async function whole(openai, model) {
  const { choices, usage } = await create(openai, model, say("hello"));
  return { text: choices[0].message.content, prompt: usage.prompt_tokens, output: usage.completion_tokens };
}

export async function stream(openai, model, heard) {
  const asked = { stream: true, stream_options: { include_usage: true } };
  let usage;
  for await (const chunk of await create(openai, model, say("hello"), asked)) {
    for (const choice of chunk.choices) heard.push(choice.delta.content ?? "");
    usage = chunk.usage ?? usage;
  }
  return { text: heard.join(""), prompt: usage?.prompt_tokens, output: usage?.completion_tokens };
}

export async function tools(openai, model, streamed) {
  const body = { model, messages: say("go"), tools: TOOLS };
  const first = streamed
    ? await openai.chat.completions.stream(body).finalChatCompletion()
    : await openai.chat.completions.create(body);
  const { message } = first.choices[0];
  const results = message.tool_calls.map((call) => ({
    role: "tool",
    tool_call_id: call.id,
    content: RESULTS[call.function.name],
  }));
  const second = await create(openai, model, [...say("go"), message, ...results], { tools: TOOLS });
  const calls = message.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]);
  return { calls, text: second.choices[0].message.content };
}

export async function structured(openai, model) {
  const response_format = zodResponseFormat(City, "city");
  const answer = await openai.chat.completions.parse({ model, messages: say("a city"), response_format });
  return answer.choices[0].message.parsed;
}

export async function image(openai, model) {
  const parts = [
    { type: "text", text: "what is this?" },
    { type: "image_url", image_url: { url: PNG } },
  ];
  return (await create(openai, model, say(parts))).choices[0].message.content;
}
