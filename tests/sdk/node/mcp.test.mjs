// The official MCP SDK for TypeScript, over both transports.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

import { TEXT } from "./support.mjs";

const { GATEWAY_URL, GATEWAY_KEY, GATEWAY_PROGRAM, GATEWAY_CONFIG, GATEWAY_DATA_DIR } = process.env;

const TOOLS = [
  "llm_generate",
  "llm_models",
  "vault_store",
  "vault_list",
  "vault_delete",
  "vault_store_file",
  "vault_list_files",
  "vault_delete_file",
  "list_groups",
  "create_group",
  "delete_group",
  "configure_circuit_breaker",
  "circuit_breaker_stats",
];

/** A gateway of its own on the vault of the one that serves HTTP. */
const stdio = () =>
  new StdioClientTransport({
    command: GATEWAY_PROGRAM,
    args: ["mcp", "-c", GATEWAY_CONFIG],
    env: { LLM_GATEWAY_DATA_DIR: GATEWAY_DATA_DIR, LLM_GATEWAY_AUTH_TOKEN: GATEWAY_KEY },
    stderr: "ignore",
  });

const http = (key = GATEWAY_KEY) =>
  new StreamableHTTPClientTransport(new URL(`${GATEWAY_URL}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });

const newClient = () => new Client({ name: "test", version: "1" });

for (const [name, transport] of [
  ["standard input and output", stdio],
  ["streamable HTTP", http],
]) {
  describe(`MCP over ${name}`, () => {
    const client = newClient();
    before(() => client.connect(transport()));
    after(() => client.close());

    /** What a tool returns; the SDK checks it against the output schema once the tools are listed. */
    const call = (tool, args, options) => client.callTool({ name: tool, arguments: args }, undefined, options);

    test("every tool is listed", async () => {
      const { tools } = await client.listTools();
      assert.deepEqual(
        tools.map((tool) => tool.name),
        TOOLS,
      );
      assert.equal(client.getServerVersion().name, "mcp-llm-bridge");
    });

    test("a prompt is answered", async () => {
      for (const provider of ["oai", "ant"]) {
        const result = await call("llm_generate", { prompt: "hello", model: `${provider}/text` });
        assert.equal(result.structuredContent.text, TEXT);
        assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
      }
    });

    test("progress is reported", async () => {
      const heard = [];
      const onprogress = ({ progress }) => heard.push(progress);
      await call("llm_generate", { prompt: "hello", model: "oai/text+head-delay=1500ms" }, { onprogress });
      assert.deepEqual(heard.slice(0, 2), [0, 1]);
    });

    test("a call that is given up leaves the connection in order", async () => {
      const signal = AbortSignal.timeout(500);
      await assert.rejects(call("llm_generate", { prompt: "hello", model: "oai/text+head-delay=5s" }, { signal }));
      assert.ok(!(await call("llm_models", {})).isError);
    });

    test("a wrong argument is named", async () => {
      const result = await call("llm_generate", { prompt: "" });
      assert.equal(result.isError, true);
      assert.equal(JSON.parse(result.content[0].text).field, "prompt");
    });

    test("a credential is stored, listed and deleted", async () => {
      const stored = await call("vault_store", { provider: "openai", apiKey: "sk-mcp-test-0123456789", project: "js" });
      const { id } = stored.structuredContent;
      const { credentials } = (await call("vault_list", { project: "js" })).structuredContent;
      assert.ok(credentials.some((row) => row.id === id));
      assert.deepEqual((await call("vault_delete", { id })).structuredContent, { ok: true });
      assert.equal((await call("vault_delete", { id })).isError, true);
    });
  });
}

test("a wrong key opens no MCP", async () => {
  await assert.rejects(newClient().connect(http("wrong")));
});
