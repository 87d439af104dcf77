"""What the prefix cache saves: two requests that begin alike, one after the other."""
import random
import statistics

import client
from interference import some_ids


async def run(options, server):
    rng = random.Random(options.seed)
    ids = some_ids(server.port)
    first, second, problems = [], [], []
    for _ in range(options.rounds):
        prefix = rng.choices(ids, k=options.prefix_len)
        for times in (first, second):
            body = {"prompt": prefix + rng.choices(ids, k=options.own_len), "max_tokens": 4, "stream": True,
                    "temperature": 0, "ignore_eos": True}
            reader = await client.fetch(server.port, body)
            answer = client.Answer(reader)
            if answer.error or not answer.is_whole or not answer.deliveries:
                return {}, [f"a prompt: {answer.error or 'cut off'}"]
            times.append((answer.deliveries[0] - reader.sent) * 1e3)
    cached = server.metrics()["forge_cached_tokens_total"]
    if cached < options.rounds * (options.prefix_len // 16) * 16:
        problems.append(f"only {cached:.0f} tokens came from the prefix cache")
    return {"prefix_tokens": options.prefix_len, "first_ttft_ms": statistics.median(first),
            "second_ttft_ms": statistics.median(second),
            "first_to_second": statistics.median(a / b for a, b in zip(first, second)),
            "cached_tokens": cached}, problems
