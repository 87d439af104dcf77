"""Many streaming clients at once, each of which must get what its prompt gets alone."""
import asyncio
import time

import client
from percentiles import gap_numbers, percentile

SUBJECTS = ["dog", "cat", "girl", "boy", "bird", "fish", "king", "bear", "frog", "tree", "car", "witch"]
# Longer than two cache blocks, so that some prompts find their beginning in the prefix cache.
SHARED = "Once upon a time, in a small house near the big forest, there lived a family that loved to sing. One day "


def request(number, tokens):
    """Request `number`: greedy and seeded ones, with and without a shared beginning."""
    subject = SUBJECTS[number % len(SUBJECTS)]
    body = {"prompt": f"{SHARED if number % 3 == 0 else ''}The {subject} number {number} said",
            "max_tokens": tokens, "ignore_eos": True, "stream": True, "stream_options": {"include_usage": True}}
    return {**body, "temperature": 0} if number % 2 == 0 else {**body, "temperature": 1, "seed": number}


def problem_with(answer, expected):
    """Why an answer is not the one expected; None where it is."""
    if answer.error:
        return answer.error
    if not answer.is_whole:
        return "cut off"
    if answer.text != expected.text or answer.finish_reason != expected.finish_reason:
        return f"another text: {answer.text[:60]!r}, expected {expected.text[:60]!r}"
    if answer.usage["completion_tokens"] != expected.usage["completion_tokens"]:
        return f"usage {answer.usage}"
    return None


async def run(options, server):
    expected = [await client.ask(server.port, request(i, options.tokens)) for i in range(options.prompts)]
    for answer in expected:
        if answer.error or not answer.is_whole:
            return {}, [f"an answer alone: {answer.error or 'cut off'}"]
    begin = time.monotonic()
    readers = await asyncio.gather(*(client.fetch(server.port, request(i % options.prompts, options.tokens))
                                     for i in range(options.clients)))
    seconds = time.monotonic() - begin
    threads = server.threads()
    answers = [client.Answer(reader) for reader in readers]
    found = [problem_with(answer, expected[i % options.prompts]) for i, answer in enumerate(answers)]
    wrong = [problem for problem in found if problem]
    first = [(a.deliveries[0] - r.sent) * 1e3 for a, r in zip(answers, readers) if a.deliveries]
    gaps = [gap for answer in answers for gap in answer.gaps()]
    tokens = sum(a.usage["completion_tokens"] for a in answers if a.usage)
    result = {"clients": options.clients, "right_answers": options.clients - len(wrong), "seconds": seconds,
              "tokens_per_second": tokens / seconds, "first_text_p50_ms": percentile(first, 50),
              "first_text_p99_ms": percentile(first, 99), **gap_numbers("inter_token", gaps),
              "server_peak_rss_mib": server.peak_rss_mib(), "server_threads": threads}
    return result, [f"{len(wrong)} of {options.clients} answers are wrong, as: {wrong[0]}"] if wrong else []
