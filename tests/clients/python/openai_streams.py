"""Streams that are left early, and many at once, through the official openai package. Trusts: the server's own
answer to a lone request; /metrics."""
import asyncio

import openai
from forge_server import MODEL_NAME, ServerCase

PROMPT = "Once upon a time"
# On the reference kernels they take about ten seconds: a client that leaves in mid-text does so long before.
LONG = {"model": MODEL_NAME, "prompt": PROMPT, "max_tokens": 480, "n": 8, "extra_body": {"ignore_eos": True}}
GONE = 'forge_requests_aborted_total{reason="client_gone"}'


class Aborts(ServerCase):
    FLAGS = ("--dtype", "f32", "--threads", "1", "--public-metrics")

    def setUp(self):
        self.client = openai.OpenAI(base_url=self.server.url, api_key="any", max_retries=0)
        self.before = self.server.wait_until_idle()

    def check_that_it_stopped(self):
        self.server.wait_for(lambda metrics: metrics[GONE] > self.before[GONE], "the request is given up")
        metrics = self.server.wait_until_idle()
        self.assertEqual(metrics[GONE], self.before[GONE] + 1)
        generated = metrics["forge_generated_tokens_total"] - self.before["forge_generated_tokens_total"]
        self.assertLess(generated, 8 * 480)
        self.assertEqual(self.client.completions.create(model=MODEL_NAME, prompt=PROMPT, max_tokens=2)
                         .usage.completion_tokens, 2)

    def test_a_closed_stream_stops(self):
        stream = self.client.completions.create(stream=True, **LONG)
        for _, chunk in zip(range(3), stream):
            self.assertTrue(chunk.choices)
        stream.close()
        self.check_that_it_stopped()

    def test_a_client_that_waits_no_longer(self):
        with self.assertRaises(openai.APITimeoutError):
            self.client.with_options(timeout=2).completions.create(**LONG)
        self.check_that_it_stopped()

    def test_a_cancelled_task_stops(self):
        async def leave():
            async with openai.AsyncOpenAI(base_url=self.server.url, api_key="any", max_retries=0) as client:
                stream = await client.completions.create(stream=True, **LONG)
                begun = asyncio.Event()

                async def read():
                    async for _ in stream:
                        begun.set()

                task = asyncio.create_task(read())
                await begun.wait()
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                await stream.close()

        asyncio.run(leave())
        self.check_that_it_stopped()


class Together(ServerCase):
    def test_50_streams_at_once_are_as_alone(self):
        async def ask(client, seed):
            stream = await client.chat.completions.create(
                model=MODEL_NAME, messages=[{"role": "user", "content": f"Tell me story {seed}"}], seed=seed,
                max_completion_tokens=100, logprobs=True, stream=True)
            choices = [chunk.choices[0] async for chunk in stream]
            tokens = [token for choice in choices if choice.logprobs for token in choice.logprobs.content]
            return "".join(choice.delta.content or "" for choice in choices), [token.logprob for token in tokens]

        async def run():
            async with openai.AsyncOpenAI(base_url=self.server.url, api_key="any", max_retries=0) as client:
                alone = [await ask(client, seed) for seed in range(10)]
                self.assertEqual(len({text for text, _ in alone}), 10)
                together = await asyncio.gather(*(ask(client, at % 10) for at in range(50)))
                for at, answer in enumerate(together):
                    self.assertEqual(answer, alone[at % 10])

        asyncio.run(run())
