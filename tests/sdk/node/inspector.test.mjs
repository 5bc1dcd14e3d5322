// The MCP inspector, by its command line, over both transports. It needs a newer Node than the SDKs.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { test } from "node:test";

const { GATEWAY_URL, GATEWAY_KEY, GATEWAY_PROGRAM, GATEWAY_CONFIG, GATEWAY_DATA_DIR } = process.env;

const PROGRAM = fileURLToPath(new URL("node_modules/.bin/mcp-inspector", import.meta.url));

/** Source: `engines` of @modelcontextprotocol/inspector 2.12.0. */
const [major, minor] = process.versions.node.split(".").map(Number);
const skip = major < 22 || (major === 22 && minor < 19) ? "needs Node 22.19" : false;

/** Of a gateway that it starts, on the vault of the one that serves HTTP. */
const ENV = [`LLM_GATEWAY_DATA_DIR=${GATEWAY_DATA_DIR}`, `LLM_GATEWAY_AUTH_TOKEN=${GATEWAY_KEY}`];

/** What it prints about one method; it fails where a schema is not one. */
const inspect = async (server, ...question) => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [PROGRAM, "--cli", ...ENV.flatMap((one) => ["-e", one]), "--method", ...question, ...server],
    { timeout: 60_000 },
  );
  return JSON.parse(stdout);
};

for (const [name, server] of [
  ["standard input and output", ["--", GATEWAY_PROGRAM, "mcp", "-c", GATEWAY_CONFIG]],
  ["streamable HTTP", ["--header", `Authorization: Bearer ${GATEWAY_KEY}`, "--server-url", `${GATEWAY_URL}/mcp`]],
]) {
  test(`the inspector lists and calls tools over ${name}`, { skip }, async () => {
    const { tools } = await inspect(server, "tools/list", "--strict");
    assert.ok(tools.some((tool) => tool.name === "vault_list"));
    const listed = await inspect(server, "tools/call", "--tool-name", "vault_list");
    assert.ok(Array.isArray(listed.structuredContent.credentials));
  });
}
