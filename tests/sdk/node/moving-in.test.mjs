// Moving in from the real mcp-llm-bridge: a vault that it wrote itself works here, key for key.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { TEXT } from "./support.mjs";

const { GATEWAY_KEY, GATEWAY_PROGRAM, PATH, UPSTREAM_KEY, UPSTREAM_URL } = process.env;

/** mcp-llm-bridge needs a module that may have been impossible to build here. */
async function lack() {
  try {
    const { default: Database } = await import("better-sqlite3");
    new Database(":memory:").close();
    return false;
  } catch (error) {
    return `better-sqlite3 does not load: ${error.message.split("\n")[0]}`;
  }
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Starts a server and waits until it answers; it ends with the test. */
async function serve(t, program, args, env, port) {
  const child = spawn(program, args, { env: { PATH, ...env }, stdio: "ignore" });
  // A child that is left behind would keep the run from ending.
  t.after(() => child.kill("SIGKILL"));
  const url = `http://127.0.0.1:${port}`;
  // The predecessor takes its time on a busy machine.
  for (let patience = 600; patience > 0; patience -= 1) {
    const up = await fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const stop = async () => {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
  };
  return { url, stop };
}

const post = async (url, body, headers = {}) => {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
};

test("a vault of the real mcp-llm-bridge is taken over", { skip: await lack() }, async (t) => {
  const home = mkdtempSync(join(tmpdir(), "moving-in-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));

  const bridgeProgram = fileURLToPath(import.meta.resolve("mcp-llm-bridge"));
  const bridgePort = await freePort();
  const bridge = await serve(
    t,
    process.execPath,
    [bridgeProgram, "serve"],
    { HOME: home, LLM_GATEWAY_PORT: String(bridgePort) },
    bridgePort,
  );
  const stored = [
    { provider: "openai", apiKey: UPSTREAM_KEY },
    { provider: "openai", apiKey: "sk-another-0123456789", keyName: "another", project: "shop" },
  ];
  for (const credential of stored) {
    assert.equal((await post(`${bridge.url}/v1/credentials`, credential)).status, 201);
  }
  const file = { provider: "opencode", fileName: "auth.json", content: '{"name":"Grüße 🦀"}' };
  assert.equal((await post(`${bridge.url}/v1/files`, file)).status, 201);
  await bridge.stop();

  const digest = (name) => createHash("sha256").update(readFileSync(join(home, ".llm-gateway", name))).digest("hex");
  const before = ["vault.db", "master.key"].map(digest);
  const report = JSON.parse(
    execFileSync(GATEWAY_PROGRAM, ["import", "mcp-llm-bridge", "--json"], { env: { PATH, HOME: home }, cwd: home }),
  );
  assert.equal(report.lines.filter((line) => line.verdict === "carried").length, stored.length + 1);

  const port = await freePort();
  const env = { HOME: home, LLM_GATEWAY_AUTH_TOKEN: GATEWAY_KEY, OPENAI_BASE_URL: `${UPSTREAM_URL}/v1` };
  const gateway = await serve(t, GATEWAY_PROGRAM, ["serve", "-p", String(port)], env, port);
  // The upstream refuses every other key.
  const asked = { prompt: "hello", model: "openai/text", strict: true };
  const answer = await post(`${gateway.url}/v1/generate`, asked, { authorization: `Bearer ${GATEWAY_KEY}` });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.body.text, TEXT);
  assert.deepEqual(["vault.db", "master.key"].map(digest), before, "the source was only read");
});
