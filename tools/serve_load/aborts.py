"""Clients that leave at random moments, and what of them is left in the server."""
import asyncio
import collections
import random
import socket
import struct
import time

import client
from percentiles import percentile
from streams import request

RATE_CLIENTS = 8
RATE_TOKENS = 64
SETTLE_SECONDS = 20


async def rate(port, n_requests):
    """Tokens per second of a load that is always the same."""
    numbers = iter(range(n_requests))

    async def worker():
        tokens = 0
        for number in numbers:
            answer = await client.ask(port, request(number, RATE_TOKENS))
            if answer.error or not answer.is_whole:
                raise SystemExit(f"serve_load: the fixed load: {answer.error or 'cut off'}")
            tokens += answer.usage["completion_tokens"]
        return tokens

    begin = time.monotonic()
    tokens = sum(await asyncio.gather(*(worker() for _ in range(RATE_CLIENTS))))
    return tokens / (time.monotonic() - begin)


async def median_rate(port, n_requests):
    return percentile([await rate(port, n_requests) for _ in range(3)], 50)


async def leave(port, body, longest, rng):
    """One client that leaves; returns when it did."""
    wire = client.request_bytes(body)
    kind = rng.random()
    if kind < 0.05:
        wire = b""
    elif kind < 0.15:
        wire = wire[:rng.randrange(1, len(wire))]
    _, reader = await asyncio.get_running_loop().create_connection(lambda: client.Reader(wire), "127.0.0.1", port)
    await asyncio.wait([reader.done], timeout=rng.uniform(0, longest))
    if reader.done.done():
        return "after the answer" if reader.pieces else "turned away"
    moment = ("within the request" if kind < 0.15 else "within the answer" if reader.pieces else "before the answer")
    if rng.random() < 0.5:  # rude: a reset instead of an orderly end
        reader.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                             struct.pack("ii", 1, 0))
    reader.transport.abort()
    await reader.done
    return moment


async def leftovers(server):
    """What is not back to zero after a while, by name."""
    names = ("forge_sequences_running", "forge_requests_waiting", 'forge_kv_cache_blocks{state="used"}')
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        metrics = server.metrics()
        left = {name: metrics[name] for name in names if metrics[name] != 0}
        if metrics["forge_http_connections"] > 1:  # the one that asks
            left["forge_http_connections"] = metrics["forge_http_connections"]
        if not left or time.monotonic() > end:
            return left
        await asyncio.sleep(0.05)


async def run(options, server):
    rng = random.Random(options.seed)
    body = {**request(1, options.tokens), "n": 2}
    before = await median_rate(server.port, options.rate_requests)
    begin = time.monotonic()
    await asyncio.gather(*(client.fetch(server.port, body) for _ in range(options.clients)))
    longest = time.monotonic() - begin
    moments = collections.Counter()
    late = ("after the answer", "turned away")  # nobody was left

    async def worker():
        while sum(moments.values()) - sum(moments[name] for name in late) < options.aborts:
            number = rng.randrange(1 << 20)
            moments[await leave(server.port, {**request(number, options.tokens), "n": 1 + number % 3}, longest,
                                rng)] += 1

    begin = time.monotonic()
    await asyncio.gather(*(worker() for _ in range(options.clients)))
    seconds = time.monotonic() - begin
    left = await leftovers(server)
    after = await median_rate(server.port, options.rate_requests)
    result = {"aborts": sum(moments.values()) - sum(moments[name] for name in late), "seconds": seconds,
              "moments": dict(sorted(moments.items())),
              "aborted_by_the_servers_count": server.metrics()['forge_requests_aborted_total{reason="client_gone"}'],
              "left_behind": left, "tokens_per_second_before": before, "tokens_per_second_after": after,
              "after_to_before": after / before, "server_peak_rss_mib": server.peak_rss_mib()}
    problems = [f"{name} is {value:g} after all clients have left" for name, value in left.items()]
    if moments["turned away"]:
        problems.append(f"{moments['turned away']} clients were turned away")
    return result, problems
