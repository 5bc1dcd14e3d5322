// The AI SDK over each of its providers.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, Output, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

import { City, GATEWAY_URL, HEADERS, PNG, RESULTS, TOOLS } from "../support.mjs";

/** Tools that answer by themselves: the SDK makes the round. */
const tools_ = Object.fromEntries(
  TOOLS.map(({ function: { name, parameters } }) => [
    name,
    tool({ inputSchema: jsonSchema(parameters), execute: async () => RESULTS[name] }),
  ]),
);

const said = (text, usage) => ({ text, prompt: usage.inputTokens, output: usage.outputTokens });

/** Nothing is stored in the gateway: reasoning has to come and go with the conversation. */
const once = {
  maxRetries: 0,
  providerOptions: { openai: { store: false, include: ["reasoning.encrypted_content"] } },
};

/** The driver of a provider, which makes models by name. */
const driver = (name, provider) => ({
  name: `AI SDK, ${name}`,
  connect: (apiKey) => provider({ apiKey, headers: HEADERS }),
  status: (error) => error.statusCode,
  isOurs: (error) => APICallError.isInstance(error),

  async whole(model_, model) {
    const { text, usage } = await generateText({ model: model_(model), prompt: "hello", ...once });
    return said(text, usage);
  },

  async stream(model_, model, heard) {
    let failure;
    const onError = ({ error }) => (failure = error);
    const result = streamText({ model: model_(model), prompt: "hello", onError, ...once });
    for await (const piece of result.textStream) heard.push(piece);
    if (failure) throw failure;
    const reason = await result.finishReason;
    if (reason !== "stop") throw new Error(`the stream ended with ${reason}`);
    return said(heard.join(""), await result.usage);
  },

  async tools(model_, model, stream) {
    const ask = { model: model_(model), prompt: "go", tools: tools_, stopWhen: stepCountIs(2), ...once };
    let failure;
    const onError = ({ error }) => (failure = error);
    const result = stream ? streamText({ ...ask, onError }) : await generateText(ask);
    if (stream) await result.consumeStream();
    if (failure) throw failure;
    const steps = await result.steps;
    return { calls: steps[0].toolCalls.map((call) => [call.toolName, call.input]), text: await result.text };
  },

  async structured(model_, model) {
    const output = Output.object({ schema: City });
    return (await generateText({ model: model_(model), prompt: "a city", output, ...once })).output;
  },

  async image(model_, model) {
    const content = [
      { type: "text", text: "what is this?" },
      { type: "image", image: PNG },
    ];
    return (await generateText({ model: model_(model), messages: [{ role: "user", content }], ...once })).text;
  },
});

export const drivers = [
  driver("openai responses", (options) => createOpenAI({ baseURL: `${GATEWAY_URL}/v1`, ...options })),
  driver("openai chat", (options) => createOpenAI({ baseURL: `${GATEWAY_URL}/v1`, ...options }).chat),
  driver("openai-compatible", (options) =>
    createOpenAICompatible({
      name: "gateway",
      baseURL: `${GATEWAY_URL}/v1`,
      includeUsage: true,
      supportsStructuredOutputs: true,
      ...options,
    }),
  ),
  driver("anthropic", (options) => createAnthropic({ baseURL: `${GATEWAY_URL}/v1`, ...options })),
  // A name with a slash is a whole path to this provider.
  driver("google", (options) => {
    const provider = createGoogleGenerativeAI({ baseURL: `${GATEWAY_URL}/v1beta`, ...options });
    return (model) => provider(`models/${model}`);
  }),
];
