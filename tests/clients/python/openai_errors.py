"""The error classes, retries and time limits of the official openai package. Trusts: that package."""
import time

import openai
from forge_server import MODEL_NAME, ForgeServer, ServerCase

PROMPT = "Once upon a time"
# Eight texts of 480 tokens, which take many seconds on the reference kernels.
LONG = {"model": MODEL_NAME, "prompt": PROMPT, "max_tokens": 480, "n": 8, "extra_body": {"ignore_eos": True}}


class Errors(ServerCase):
    FLAGS = ("--api-key", "right", "--public-metrics")

    def setUp(self):
        self.client = openai.OpenAI(base_url=self.server.url, api_key="right", max_retries=0)

    def test_a_wrong_key(self):
        with self.assertRaises(openai.AuthenticationError) as caught:
            self.client.with_options(api_key="wrong").models.list()
        self.assertEqual(caught.exception.code, "invalid_api_key")
        self.assertTrue(list(self.client.models.list()))

    def test_an_unknown_model(self):
        for call in (lambda: self.client.models.retrieve("other"),
                     lambda: self.client.completions.create(model="other", prompt=PROMPT),
                     lambda: self.client.embeddings.create(model="other", input=PROMPT)):
            with self.assertRaises(openai.NotFoundError) as caught:
                call()
            self.assertEqual((caught.exception.param, caught.exception.code), ("model", "model_not_found"))

    def test_an_unknown_route(self):
        with self.assertRaises(openai.NotFoundError):
            self.client.responses.create(model=MODEL_NAME, input=PROMPT)

    def test_a_bad_field_is_named(self):
        for name, value in (("temperature", 3), ("n", 0), ("max_tokens", "many"), ("logprobs", 6),
                            ("suffix", "x"), ("no_such_field", 1)):
            fields = {"model": MODEL_NAME, "prompt": PROMPT, "extra_body": {name: value}}
            for stream in (False, True):
                with self.assertRaises(openai.BadRequestError) as caught:
                    self.client.completions.create(stream=stream, **fields)
                self.assertEqual(caught.exception.param, name)
                self.assertEqual(caught.exception.type, "invalid_request_error")
                self.assertTrue(caught.exception.request_id)

    def test_metrics_count_the_answers(self):
        def counted(status):
            name = f'forge_http_requests_total{{route="/v1/models/{{id}}",status="{status}"}}'
            return self.server.metrics().get(name, 0)

        before = counted(200), counted(404)
        self.client.models.retrieve(MODEL_NAME)
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("other")
        self.client.models.list()  # on the same connection: what came before is counted
        self.assertEqual((counted(200), counted(404)), (before[0] + 1, before[1] + 1))
        metrics = self.server.metrics()
        self.assertGreaterEqual(metrics["forge_http_connections"], 1)
        self.assertGreaterEqual(metrics["forge_http_connections_total"], metrics["forge_http_connections"])

    def test_a_prompt_beyond_the_context(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.client.completions.create(model=MODEL_NAME, prompt="a b c " * 600)
        self.assertEqual(caught.exception.code, "context_length_exceeded")

    def test_a_server_that_is_gone(self):
        server = ForgeServer()
        client = openai.OpenAI(base_url=server.url, api_key="any", max_retries=0)
        self.assertTrue(list(client.models.list()))
        self.assertEqual(server.stop(), 0)
        with self.assertRaises(openai.APIConnectionError):
            client.models.list()


class FullServer(ServerCase):
    """Eight texts at a time, and nobody may wait."""

    FLAGS = ("--max-concurrent", "8", "--max-queue", "0", "--dtype", "f32", "--threads", "1", "--public-metrics")

    def setUp(self):
        self.server.wait_until_idle()
        self.sent = []
        self.on_busy = lambda: None
        http_client = openai.DefaultHttpxClient(event_hooks={"request": [self.note], "response": [self.look]})
        self.client = openai.OpenAI(base_url=self.server.url, api_key="any", max_retries=0, http_client=http_client)

    def note(self, request):
        self.sent.append(time.monotonic())

    def look(self, response):
        if response.status_code == 429:
            self.on_busy()

    def hold(self):
        """A stream that takes all places."""
        stream = self.client.completions.create(stream=True, **LONG)
        self.server.wait_for(lambda metrics: metrics["forge_sequences_running"] == 8, "all places are taken")
        self.sent.clear()
        return stream

    def test_no_room_is_a_rate_limit_error(self):
        with self.hold():
            with self.assertRaises(openai.RateLimitError) as caught:
                self.client.completions.create(model=MODEL_NAME, prompt=PROMPT)
        self.assertEqual(caught.exception.code, "rate_limit_exceeded")
        self.assertGreaterEqual(int(caught.exception.response.headers["retry-after"]), 1)

    def test_a_retry_waits_as_it_was_told_and_succeeds(self):
        self.on_busy = self.hold().close
        answer = self.client.with_options(max_retries=5).completions.create(
            model=MODEL_NAME, prompt=PROMPT, max_tokens=4)
        self.assertEqual(answer.usage.completion_tokens, 4)
        self.assertGreaterEqual(len(self.sent), 2)
        for before, after in zip(self.sent, self.sent[1:]):
            # Retry-After is in whole seconds; the package alone would begin with half a second.
            self.assertGreaterEqual(after - before, 0.99)

    def test_retries_that_find_no_room_give_up(self):
        with self.hold():
            with self.assertRaises(openai.RateLimitError):
                self.client.with_options(max_retries=1).completions.create(model=MODEL_NAME, prompt=PROMPT)
        self.assertEqual(len(self.sent), 2)

    def test_a_request_that_takes_too_long_for_itself(self):
        with self.assertRaises(openai.InternalServerError) as caught:
            self.client.completions.create(**LONG | {"extra_body": {"ignore_eos": True, "timeout": 0.05}})
        self.assertEqual((caught.exception.status_code, caught.exception.code), (503, "timeout"))
