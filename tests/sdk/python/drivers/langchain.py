"""LangChain's chat models, which bring the SDK of each vendor along."""

import base64

import anthropic
import openai
from google.genai import errors
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_google_genai.chat_models import ChatGoogleGenerativeAIError
from langchain_openai import ChatOpenAI

from drivers import RESULTS, Round, Said
from support import GATEWAY, HEADERS, KEY, PNG, TOOLS, City


class LangChain:
    """All of it but how a chat model is made."""

    lacks = {}

    def __init__(self, key=KEY):
        self.key = key

    def close(self):
        pass

    def whole(self, model):
        return said(self.chat(model).invoke("hello"))

    def stream(self, model, heard):
        whole = None
        for chunk in self.chat(model).stream("hello"):
            heard.append(chunk.text)
            whole = chunk if whole is None else whole + chunk
        answer = said(whole)
        assert answer.text == "".join(heard), answer.text
        return answer

    def tools(self, model):
        return self.round(model, lambda chat: chat.invoke("go"))

    def streamed_tools(self, model):
        def join(chat):
            chunks = list(chat.stream("go"))
            return sum(chunks[1:], chunks[0])

        return self.round(model, join)

    def round(self, model, ask):
        chat = self.chat(model).bind_tools(TOOLS)
        message = ask(chat)
        results = [ToolMessage(RESULTS[call["name"]], tool_call_id=call["id"]) for call in message.tool_calls]
        answer = chat.invoke([HumanMessage("go"), message, *results])
        return Round([(call["name"], call["args"]) for call in message.tool_calls], answer.text)

    def structured(self, model):
        return self.chat(model).with_structured_output(City, method="json_schema").invoke("a city")

    def image(self, model):
        data = base64.b64encode(PNG).decode()
        image = {"type": "image", "base64": data, "mime_type": "image/png"}
        return self.chat(model).invoke([HumanMessage([{"type": "text", "text": "what?"}, image])]).text


def said(message):
    usage = message.usage_metadata or {}
    return Said(message.text, usage.get("input_tokens"), usage.get("output_tokens"))


class OpenAi(LangChain):
    name = "langchain-openai"
    unauthorized = openai.AuthenticationError
    limited = openai.RateLimitError
    failed = openai.InternalServerError
    broken = Exception

    def chat(self, model, **more):
        options = dict(base_url=f"{GATEWAY}/v1", api_key=self.key, max_retries=0, timeout=20, stream_usage=True)
        return ChatOpenAI(model=model, default_headers=HEADERS, **options, **more)


class OpenAiResponses(OpenAi):
    name = "langchain-openai, responses"

    def chat(self, model):
        return super().chat(model, use_responses_api=True)


class Anthropic(LangChain):
    name = "langchain-anthropic"
    unauthorized = anthropic.AuthenticationError
    limited = anthropic.RateLimitError
    failed = anthropic.InternalServerError
    broken = Exception

    def chat(self, model):
        options = dict(base_url=GATEWAY, api_key=self.key, max_retries=0, timeout=20, max_tokens=4096)
        return ChatAnthropic(model=model, default_headers=HEADERS, **options)


class Google(LangChain):
    name = "langchain-google-genai"
    unauthorized = (ChatGoogleGenerativeAIError, errors.ClientError)
    limited = (ChatGoogleGenerativeAIError, errors.ClientError)
    failed = errors.ServerError
    broken = Exception

    def chat(self, model):
        options = dict(base_url=GATEWAY, google_api_key=self.key, max_retries=1, timeout=20)
        return ChatGoogleGenerativeAI(model=model, additional_headers=HEADERS, **options)
