"""A little of everything that clients ask: every dialect of theirs, answered by every dialect of providers, whole and
streamed, with tools and without."""

import contextlib
import http.client
import json
import re
import subprocess

import targets

CONFIG = """\
  chat: {{ base_url: "{origin}/v1", api_key: "bench-key" }}
  responses: {{ wire: openai_responses, base_url: "{origin}/v1", api_key: "bench-key" }}
  messages: {{ wire: anthropic_messages, base_url: "{origin}", api_key: "bench-key" }}
  gemini: {{ wire: gemini, base_url: "{origin}", api_key: "bench-key" }}
"""
PROVIDERS = ["chat", "responses", "messages", "gemini"]
# What the scripted provider answers to these: a text, and two calls of tools.
MODELS = ["text", "tools-parallel"]

SYSTEM = "You answer in one sentence and look things up before you guess. "
QUESTION = "Which of the two cities is warmer today, and by how many degrees? "
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "description": "A city"}}, "required": ["city"]}
TOOL = {"name": "weather", "description": "Tells the weather of a city"}
CALL, RESULT = {"city": "Graz"}, "21 degrees, no wind"


def chat(model, stream):
    turns = [{"role": "system", "content": SYSTEM * 8}, {"role": "user", "content": QUESTION},
             {"role": "assistant", "content": None, "tool_calls": [
                 {"id": "call_1", "type": "function", "function": {"name": TOOL["name"], "arguments": json.dumps(CALL)}}]},
             {"role": "tool", "tool_call_id": "call_1", "content": RESULT},
             {"role": "user", "content": [{"type": "text", "text": QUESTION * 4}]}]
    body = {"model": model, "messages": turns, "tools": [{"type": "function", "function": {**TOOL, "parameters": SCHEMA}}],
            "temperature": 0.5, "max_tokens": 256, "stream": stream}
    return "/v1/chat/completions", body


def responses(model, stream):
    turns = [{"type": "message", "role": "user", "content": QUESTION},
             {"type": "function_call", "call_id": "call_1", "name": TOOL["name"], "arguments": json.dumps(CALL)},
             {"type": "function_call_output", "call_id": "call_1", "output": RESULT},
             {"type": "message", "role": "user", "content": [{"type": "input_text", "text": QUESTION * 4}]}]
    body = {"model": model, "instructions": SYSTEM * 8, "input": turns, "store": False, "stream": stream,
            "tools": [{"type": "function", **TOOL, "parameters": SCHEMA}], "max_output_tokens": 256}
    return "/v1/responses", body


def messages(model, stream):
    turns = [{"role": "user", "content": QUESTION},
             {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1", "name": TOOL["name"], "input": CALL}]},
             {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": RESULT},
                                          {"type": "text", "text": QUESTION * 4}]}]
    body = {"model": model, "system": [{"type": "text", "text": SYSTEM * 8}], "messages": turns, "max_tokens": 256,
            "tools": [{**TOOL, "input_schema": SCHEMA}], "stream": stream}
    return "/v1/messages", body


def gemini(model, stream):
    turns = [{"role": "user", "parts": [{"text": QUESTION}]},
             {"role": "model", "parts": [{"functionCall": {"name": TOOL["name"], "args": CALL}}]},
             {"role": "user", "parts": [{"functionResponse": {"name": TOOL["name"], "response": {"output": RESULT}}}]},
             {"role": "user", "parts": [{"text": QUESTION * 4}]}]
    body = {"systemInstruction": {"parts": [{"text": SYSTEM * 8}]}, "contents": turns,
            "tools": [{"functionDeclarations": [{**TOOL, "parameters": SCHEMA}]}], "generationConfig": {"maxOutputTokens": 256}}
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/v1beta/models/{model.replace('/', '%2F')}:{method}", body


@contextlib.contextmanager
def scripted_provider(binaries):
    """The origin of a scripted provider that speaks all dialects."""
    command = [binaries / "fakeprov"]
    with targets.Process(command, targets.LOAD_CORE, stdout=subprocess.PIPE, text=True) as process:
        yield re.search(r"http://\S+", process.child.stdout.readline()).group().rstrip("/")


def travel(target, rounds):
    """Asks all of it, so many times. Every answer is a good one, or it ends here."""
    asked = [ask(f"{provider}/{model}", stream) for ask in (chat, responses, messages, gemini)
             for provider in PROVIDERS for model in MODELS for stream in (False, True)]
    headers = {"content-type": "application/json", "authorization": f"Bearer {target.token}"}
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    for _ in range(rounds):
        for path, body in asked:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise SystemExit(f"{path} for {body.get('model', '')} was answered {answer.status}: {text[:500]}")
    connection.close()
