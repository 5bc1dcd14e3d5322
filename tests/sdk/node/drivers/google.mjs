// The @google/genai SDK.

import { ApiError, GoogleGenAI } from "@google/genai";
import { z } from "zod";

import { City, GATEWAY_URL, HEADERS, PNG, RESULTS, TOOLS } from "../support.mjs";

export const name = "@google/genai SDK";
export const connect = (apiKey) =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl: GATEWAY_URL, headers: HEADERS, timeout: 20_000 } });
export const status = (error) => error.status;
export const isOurs = (error) => error instanceof ApiError;

const tools_ = [
  {
    functionDeclarations: TOOLS.map(({ function: { name, parameters } }) => ({
      name,
      parametersJsonSchema: parameters,
    })),
  },
];

function said({ text, usageMetadata: usage }) {
  const output = (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0);
  return { text, prompt: usage.promptTokenCount, output };
}

export async function whole(google, model) {
  return said(await google.models.generateContent({ model, contents: "hello" }));
}

export async function stream(google, model, heard) {
  let last;
  for await (const chunk of await google.models.generateContentStream({ model, contents: "hello" })) {
    heard.push(chunk.text ?? "");
    last = chunk;
  }
  if (!last?.candidates[0].finishReason) throw new Error("the stream has no end");
  return { ...said(last), text: heard.join("") };
}

export async function tools(google, model, streamed) {
  const config = { tools: tools_ };
  const asked = { role: "user", parts: [{ text: "go" }] };
  const turn = streamed ? await join(google, model, config) : await first(google, model, config);
  const called = turn.parts.map((part) => part.functionCall).filter(Boolean);
  const parts = called.map(({ id, name }) => ({
    functionResponse: { id, name, response: { result: RESULTS[name] } },
  }));
  const contents = [asked, turn, { role: "user", parts }];
  const second = await google.models.generateContent({ model, contents, config });
  return { calls: called.map((call) => [call.name, call.args]), text: second.text };
}

async function first(google, model, config) {
  return (await google.models.generateContent({ model, contents: "go", config })).candidates[0].content;
}

/** The parts of all chunks as one turn; an empty text without a signature is none. */
async function join(google, model, config) {
  const parts = [];
  for await (const chunk of await google.models.generateContentStream({ model, contents: "go", config })) {
    parts.push(...(chunk.candidates[0].content?.parts ?? []));
  }
  return { role: "model", parts: parts.filter((part) => part.text !== "" || part.thoughtSignature) };
}

export async function structured(google, model) {
  const config = { responseMimeType: "application/json", responseJsonSchema: z.toJSONSchema(City) };
  return JSON.parse((await google.models.generateContent({ model, contents: "a city", config })).text);
}

export async function image(google, model) {
  const parts = [{ text: "what is this?" }, { inlineData: { mimeType: "image/png", data: PNG.split(",")[1] } }];
  return (await google.models.generateContent({ model, contents: [{ role: "user", parts }] })).text;
}
