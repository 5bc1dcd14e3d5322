"""The google-genai SDK."""

from google import genai
from google.genai import errors, types

from drivers import RESULTS, Round, Said
from support import GATEWAY, HEADERS, KEY, PNG, TOOLS, City



class Driver:
    name = "google-genai SDK"
    lacks = {}
    unauthorized = errors.ClientError
    limited = errors.ClientError
    failed = errors.ServerError
    # The SDK passes on as they are the errors of a connection that was cut.
    broken = Exception

    TOOLS = [
        types.Tool(
            function_declarations=[
                types.FunctionDeclaration(
                    name=tool["function"]["name"], parameters_json_schema=tool["function"]["parameters"]
                )
                for tool in TOOLS
            ]
        )
    ]

    def __init__(self, key=KEY):
        once = types.HttpRetryOptions(attempts=1)
        options = types.HttpOptions(base_url=GATEWAY, headers=HEADERS, timeout=20_000, retry_options=once)
        self.client = genai.Client(api_key=key, http_options=options)
        self.close = self.client.close

    def create(self, model, contents, **config):
        config = types.GenerateContentConfig(**config)
        return self.client.models.generate_content(model=model, contents=contents, config=config)

    def whole(self, model):
        answer = self.create(model, "hello")
        assert answer.candidates[0].finish_reason == "STOP", answer.candidates[0].finish_reason
        return said(answer)

    def stream(self, model, heard):
        last = None
        for last in self.client.models.generate_content_stream(model=model, contents="hello"):
            heard.append(last.text or "")
        if last is None or not last.candidates[0].finish_reason:
            raise errors.APIError(0, {"message": "the stream has no end"})
        said_last = said(last)
        return Said("".join(heard), said_last.prompt, said_last.output)

    def tools(self, model):
        return self.answer(model, [self.create(model, "go", tools=self.TOOLS).candidates[0].content])

    def streamed_tools(self, model):
        config = types.GenerateContentConfig(tools=self.TOOLS)
        chunks = self.client.models.generate_content_stream(model=model, contents="go", config=config)
        parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts or []]
        parts = [part for part in parts if part.text != "" or part.thought_signature]
        return self.answer(model, [types.Content(role="model", parts=parts)])

    def answer(self, model, turns):
        called = [part.function_call for turn in turns for part in turn.parts if part.function_call]
        results = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call.id, name=call.name, response={"result": RESULTS[call.name]}
                )
            )
            for call in called
        ]
        asked = types.Content(role="user", parts=[types.Part(text="go")])
        contents = [asked, *turns, types.Content(role="user", parts=results)]
        answer = self.create(model, contents, tools=self.TOOLS)
        return Round([(call.name, call.args) for call in called], answer.text)

    def structured(self, model):
        config = dict(response_mime_type="application/json", response_schema=City)
        return self.create(model, "a city", **config).parsed

    def image(self, model):
        parts = [types.Part(text="what is this?"), types.Part.from_bytes(data=PNG, mime_type="image/png")]
        return self.create(model, [types.Content(role="user", parts=parts)]).text


def said(answer):
    usage = answer.usage_metadata
    output = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    return Said(answer.text, usage.prompt_token_count, output)
