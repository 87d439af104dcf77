"""Completions, embeddings and models through the official openai package. Trusts: that package's parsing."""
import math

import openai
from forge_server import MODEL_NAME, ServerCase

PROMPT = "Once upon a time"


class Completions(ServerCase):
    def setUp(self):
        self.client = openai.OpenAI(base_url=self.server.url, api_key="any", max_retries=0)

    def complete(self, **fields):
        return self.client.completions.create(**{"model": MODEL_NAME, "prompt": PROMPT, "max_tokens": 24} | fields)

    def test_whole_answer(self):
        answer = self.complete(temperature=0)
        self.assertEqual(answer.object, "text_completion")
        self.assertEqual(answer.model, MODEL_NAME)
        self.assertEqual(answer.choices[0].finish_reason, "length")
        self.assertTrue(answer.choices[0].text.startswith(", there was a little"), answer.choices[0].text)
        self.assertEqual(answer.usage.completion_tokens, 24)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + 24)
        self.assertTrue(answer.system_fingerprint.startswith("fp_"))
        self.assertTrue(answer._request_id)

    def test_streamed_answer_is_the_whole_one(self):
        whole = self.complete(seed=3)
        with self.complete(seed=3, stream=True, stream_options={"include_usage": True}) as stream:
            chunks = list(stream)
        *texts, end = chunks
        self.assertEqual("".join(chunk.choices[0].text for chunk in texts), whole.choices[0].text)
        self.assertEqual([chunk.choices[0].finish_reason for chunk in texts if chunk.choices[0].finish_reason],
                         ["length"])
        self.assertEqual(end.choices, [])
        self.assertEqual(end.usage.completion_tokens, whole.usage.completion_tokens)
        self.assertEqual({chunk.id for chunk in chunks}, {chunks[0].id})

    def test_usage_in_a_stream_only_where_asked_for(self):
        chunks = list(self.complete(stream=True))
        self.assertTrue(all(chunk.usage is None and chunk.choices for chunk in chunks))

    def test_several_prompts_and_choices(self):
        answer = self.complete(prompt=[PROMPT, "The dragon"], n=2, seed=1)
        self.assertEqual([choice.index for choice in answer.choices], [0, 1, 2, 3])
        self.assertEqual(len({choice.text for choice in answer.choices}), 4)
        ids = self.complete(prompt=[[430, 271], [430]], temperature=0)
        self.assertEqual(len(ids.choices), 2)

    def test_a_seed_repeats(self):
        texts = {self.complete(seed=11, temperature=1).choices[0].text for _ in range(3)}
        self.assertEqual(len(texts), 1)
        self.assertGreater(len({self.complete(seed=seed).choices[0].text for seed in range(5)}), 1)

    def test_stop_ends_the_text(self):
        whole = self.complete(temperature=0).choices[0].text
        word = " little"
        choice = self.complete(temperature=0, stop=[word, "never there"]).choices[0]
        self.assertEqual(choice.text, whole[: whole.index(word)])
        self.assertEqual(choice.finish_reason, "stop")

    def test_logprobs_of_a_greedy_text(self):
        choice = self.complete(temperature=0, logprobs=5, echo=True).choices[0]
        logprobs = choice.logprobs
        self.assertEqual("".join(logprobs.tokens[1:]), choice.text)  # the first one is BOS
        self.assertIsNone(logprobs.token_logprobs[0])
        for at in range(len(logprobs.tokens) - 24, len(logprobs.tokens)):
            token, value, top = logprobs.tokens[at], logprobs.token_logprobs[at], logprobs.top_logprobs[at]
            self.assertEqual(value, max(top.values()))
            self.assertEqual(top[token], value)
            self.assertLessEqual(sum(map(math.exp, top.values())), 1 + 1e-6)
            self.assertEqual(choice.text[logprobs.text_offset[at] :][: len(token)], token)

    def test_extensions_in_extra_body(self):
        answer = self.complete(max_tokens=300, extra_body={"ignore_eos": True, "top_k": 1})
        self.assertEqual(answer.usage.completion_tokens, 300)
        self.assertTrue(answer.choices[0].text.startswith(self.complete(temperature=0).choices[0].text))

    def test_embeddings_in_base64_are_those_in_floats(self):
        # The package asks for base64 by itself and decodes it.
        inputs = ["The cat sat.", "A dog ran away.", "The cat sat."]
        packed = self.client.embeddings.create(model=MODEL_NAME, input=inputs)
        plain = self.client.embeddings.create(model=MODEL_NAME, input=inputs, encoding_format="float")
        self.assertEqual([item.index for item in packed.data], [0, 1, 2])
        for a, b in zip(packed.data, plain.data):
            self.assertEqual(len(a.embedding), 256)
            for x, y in zip(a.embedding, b.embedding):
                self.assertAlmostEqual(x, y, delta=1e-7)  # half a unit of f32 at 1
            self.assertAlmostEqual(sum(x * x for x in a.embedding), 1, delta=1e-5)
        self.assertEqual(packed.data[0].embedding, packed.data[2].embedding)
        self.assertNotEqual(packed.data[0].embedding, packed.data[1].embedding)
        short = self.client.embeddings.create(model=MODEL_NAME, input=inputs[0], dimensions=64)
        self.assertEqual(len(short.data[0].embedding), 64)

    def test_models(self):
        models = list(self.client.models.list())
        self.assertEqual([model.id for model in models], [MODEL_NAME])
        self.assertEqual(self.client.models.retrieve(MODEL_NAME), models[0])
