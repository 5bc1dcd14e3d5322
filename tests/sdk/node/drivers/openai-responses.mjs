// The openai SDK, Responses.

import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";

import { City, PNG, RESULTS, TOOLS, client, say } from "../support.mjs";

export const name = "openai SDK, responses";
export const connect = client;
export const status = (error) => error.status;
export const isOurs = (error) => error instanceof OpenAI.APIError;

const tools_ = TOOLS.map((tool) => ({ type: "function", strict: true, ...tool.function }));

const create = (openai, model, input, more = {}) => openai.responses.create({ model, input, store: false, ...more });

const said = ({ output_text, usage }) => ({
  text: output_text,
  prompt: usage.input_tokens,
  output: usage.output_tokens,
});

export async function whole(openai, model) {
  return said(await create(openai, model, "hello"));
}

export async function stream(openai, model, heard) {
  let last;
  for await (const event of await create(openai, model, "hello", { stream: true })) {
    if (event.type === "response.output_text.delta") heard.push(event.delta);
    last = event;
  }
  if (last?.type !== "response.completed") throw new OpenAI.APIError(undefined, undefined, `ended by ${last?.type}`);
  return { ...said(last.response), text: heard.join("") };
}

export async function tools(openai, model, streamed) {
  const body = { model, input: say("go"), tools: tools_, store: false, include: ["reasoning.encrypted_content"] };
  const first = streamed ? await openai.responses.stream(body).finalResponse() : await openai.responses.create(body);
  const called = first.output.filter((item) => item.type === "function_call");
  const results = called.map((call) => ({
    type: "function_call_output",
    call_id: call.call_id,
    output: RESULTS[call.name],
  }));
  const output = first.output.map(({ parsed_arguments, ...item }) => item);
  const second = await create(openai, model, [...say("go"), ...output, ...results], { tools: tools_ });
  return { calls: called.map((call) => [call.name, JSON.parse(call.arguments)]), text: second.output_text };
}

export async function structured(openai, model) {
  const format = zodTextFormat(City, "city");
  return (await openai.responses.parse({ model, input: "a city", text: { format } })).output_parsed;
}

export async function image(openai, model) {
  const parts = [
    { type: "input_text", text: "what is this?" },
    { type: "input_image", image_url: PNG },
  ];
  return (await create(openai, model, say(parts))).output_text;
}
