"""The official MCP SDK for Python: over both transports, and in both ways of negotiating a revision."""

import asyncio
import contextlib
import json
import os
import unittest

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from support import GATEWAY, KEY, TEXT

TOOLS = [
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
]


def stdio():
    """A gateway of its own on the vault of the one that serves HTTP."""
    env = {"LLM_GATEWAY_DATA_DIR": os.environ["GATEWAY_DATA_DIR"], "LLM_GATEWAY_AUTH_TOKEN": KEY}
    arguments = ["mcp", "-c", os.environ["GATEWAY_CONFIG"]]
    return StdioServerParameters(command=os.environ["GATEWAY_PROGRAM"], args=arguments, env=env)


@contextlib.asynccontextmanager
async def http(key=KEY):
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=20) as client:
        async with streamable_http_client(f"{GATEWAY}/mcp", http_client=client) as streams:
            yield streams


class Tools:
    """One transport and one way of negotiating; the subclasses say which."""

    mode: str

    def connect(self):
        return Client(self.transport(), mode=self.mode, read_timeout_seconds=20)

    async def test_every_tool_is_listed_with_its_schemas(self):
        async with self.connect() as client:
            self.assertEqual(client.server_info.name, "mcp-llm-bridge")
            tools = (await client.list_tools()).tools
            self.assertEqual([tool.name for tool in tools], TOOLS)
            for tool in tools:
                self.assertEqual(tool.output_schema["type"], "object")

    async def test_a_prompt_is_answered(self):
        async with self.connect() as client:
            await client.list_tools()
            for provider in ["oai", "ant"]:
                asked = {"prompt": "hello", "model": f"{provider}/text"}
                result = await client.call_tool("llm_generate", asked)
                self.assertFalse(result.is_error)
                # The SDK has checked it against the output schema.
                self.assertEqual(result.structured_content["text"], TEXT)
                self.assertEqual(json.loads(result.content[0].text), result.structured_content)

    async def test_progress_is_reported(self):
        heard = []

        async def hear(progress, total, message):
            heard.append(progress)

        async with self.connect() as client:
            asked = {"prompt": "hello", "model": "oai/text+head-delay=1500ms"}
            await client.call_tool("llm_generate", asked, progress_callback=hear)
        self.assertEqual(heard[:2], [0, 1])

    async def test_a_call_that_is_given_up_leaves_the_connection_in_order(self):
        async with self.connect() as client:
            asked = {"prompt": "hello", "model": "oai/text+head-delay=5s"}
            with self.assertRaises(TimeoutError):
                await asyncio.wait_for(client.call_tool("llm_generate", asked), 0.5)
            self.assertFalse((await client.call_tool("llm_models", {})).is_error)

    async def test_a_failure_is_an_error_of_the_tool(self):
        async with self.connect() as client:
            for asked, field in [({}, "prompt"), ({"prompt": "x", "maxTokens": "9"}, "maxTokens")]:
                result = await client.call_tool("llm_generate", asked)
                self.assertTrue(result.is_error)
                self.assertEqual(json.loads(result.content[0].text)["field"], field)

    async def test_a_credential_is_stored_listed_and_deleted(self):
        async with self.connect() as client:
            await client.list_tools()
            new = {"provider": "openai", "apiKey": "sk-mcp-test-0123456789", "project": "sdk"}
            stored = (await client.call_tool("vault_store", new)).structured_content
            listed = await client.call_tool("vault_list", {"project": "sdk"})
            self.assertIn(stored["id"], [row["id"] for row in listed.structured_content["credentials"]])
            self.assertNotIn("sk-mcp-test-0123456789", listed.content[0].text)
            gone = await client.call_tool("vault_delete", {"id": stored["id"]})
            self.assertEqual(gone.structured_content, {"ok": True})
            self.assertTrue((await client.call_tool("vault_delete", {"id": stored["id"]})).is_error)


class StdioToday(Tools, unittest.IsolatedAsyncioTestCase):
    mode = "auto"
    transport = staticmethod(stdio)


class StdioWithHandshake(Tools, unittest.IsolatedAsyncioTestCase):
    mode = "legacy"
    transport = staticmethod(stdio)


class HttpToday(Tools, unittest.IsolatedAsyncioTestCase):
    mode = "auto"
    transport = staticmethod(http)


class HttpWithHandshake(Tools, unittest.IsolatedAsyncioTestCase):
    mode = "legacy"
    transport = staticmethod(http)


class Door(unittest.IsolatedAsyncioTestCase):
    async def test_a_wrong_key_opens_nothing(self):
        with self.assertRaises(Exception):
            async with Client(http("wrong"), mode="legacy", read_timeout_seconds=20) as client:
                await client.list_tools()
