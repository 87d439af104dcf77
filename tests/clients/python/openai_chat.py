"""Chats through the official openai package. Trusts: that package's parsing; a chat of the test's own template
is a completion of the text that the template writes."""
import openai
from forge_server import MODEL_NAME, ServerCase

MESSAGES = [
    {"role": "system", "content": "You tell stories."},
    {"role": "user", "content": [{"type": "text", "text": "Once upon a time"}]},
]
# chat_template.jinja by hand.
PROMPT = "system: You tell stories.\nuser: Once upon a time\nassistant: "
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


class Chats(ServerCase):
    def setUp(self):
        self.client = openai.OpenAI(base_url=self.server.url, api_key="any", max_retries=0)

    def chat(self, **fields):
        defaults = {"model": MODEL_NAME, "messages": MESSAGES, "max_completion_tokens": 24}
        return self.client.chat.completions.create(**defaults | fields)

    def test_whole_answer_is_the_completion_of_the_rendered_prompt(self):
        answer = self.chat(temperature=0, logprobs=True, top_logprobs=3)
        plain = self.client.completions.create(model=MODEL_NAME, prompt=PROMPT, max_tokens=24, temperature=0,
                                               logprobs=3, extra_body={"add_special_tokens": False})
        choice = answer.choices[0]
        self.assertEqual(answer.object, "chat.completion")
        self.assertEqual(choice.message.role, "assistant")
        self.assertEqual(choice.message.content, plain.choices[0].text)
        self.assertEqual(choice.finish_reason, plain.choices[0].finish_reason)
        self.assertEqual(answer.usage.prompt_tokens, plain.usage.prompt_tokens)
        self.assertEqual([token.token for token in choice.logprobs.content], plain.choices[0].logprobs.tokens)
        self.assertEqual([token.logprob for token in choice.logprobs.content],
                         plain.choices[0].logprobs.token_logprobs)
        self.assertTrue(all(len(token.top_logprobs) == 3 for token in choice.logprobs.content))
        self.assertEqual(b"".join(bytes(token.bytes) for token in choice.logprobs.content).decode(),
                         choice.message.content)

    def test_streamed_answer_is_the_whole_one(self):
        whole = self.chat(seed=5, n=3)
        chunks = list(self.chat(seed=5, n=3, stream=True, stream_options={"include_usage": True}))
        for index in range(3):
            deltas = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
            self.assertEqual(deltas[0].delta.role, "assistant")
            self.assertEqual("".join(choice.delta.content or "" for choice in deltas),
                             whole.choices[index].message.content)
            self.assertEqual([choice.finish_reason for choice in deltas if choice.finish_reason],
                             [whole.choices[index].finish_reason])
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage.completion_tokens, whole.usage.completion_tokens)

    def test_the_stream_helper_gathers_the_same_answer(self):
        fields = {"messages": MESSAGES, "max_completion_tokens": 400, "seed": 6, "logprobs": True, "stop": "."}
        whole = self.chat(**fields)
        with self.client.chat.completions.stream(model=MODEL_NAME, **fields) as stream:
            kinds = [event.type for event in stream]
            gathered = stream.get_final_completion()
        self.assertIn("content.delta", kinds)
        self.assertEqual(gathered.choices[0].message.content, whole.choices[0].message.content)
        self.assertEqual(gathered.choices[0].logprobs.content, whole.choices[0].logprobs.content)

    def test_stop_across_the_chunks_of_a_stream(self):
        whole = self.chat(temperature=0).choices[0].message.content
        stop = whole[7:15]
        chunks = list(self.chat(temperature=0, stop=stop, stream=True))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        self.assertEqual(text, whole[: whole.index(stop)])
        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")

    def test_a_seed_repeats(self):
        self.assertEqual(len({self.chat(seed=2).choices[0].message.content for _ in range(3)}), 1)

    def test_tools_are_refused_by_name(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.chat(tools=[TOOL])
        self.assertEqual(caught.exception.param, "tools")
        self.assertEqual(self.chat(tools=[TOOL], tool_choice="none").choices[0].message.tool_calls, None)

    def test_a_format_is_refused_by_name(self):
        schema = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
        with self.assertRaises(openai.BadRequestError) as caught:
            self.chat(response_format=schema)
        self.assertEqual(caught.exception.param, "response_format")

    def test_fields_without_effect_are_taken(self):
        plain = self.chat(temperature=0).choices
        self.assertEqual(self.chat(temperature=0, user="u", store=False, metadata={"a": "b"},
                                   service_tier="auto", prompt_cache_key="k").choices, plain)
