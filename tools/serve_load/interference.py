"""Normal clients beside others that may hold them back: slow readers, a long prompt."""
import asyncio
import contextlib
import json
import random
import socket
import time
import urllib.request

import client
from percentiles import gap_numbers, overlapping
from streams import SHARED, SUBJECTS, request

SETTLE_SECONDS = 60


@contextlib.asynccontextmanager
async def normal_clients(options, port, gaps):
    """Clients that stream all the time while the block runs; then `gaps` has their waits."""
    is_over = asyncio.Event()
    readers = []

    async def worker(number):
        while not is_over.is_set():
            readers.append(await client.fetch(port, request(number, options.tokens)))
            number += options.clients

    tasks = [asyncio.create_task(worker(i)) for i in range(options.clients)]
    await asyncio.sleep(0.2)
    yield
    is_over.set()
    await asyncio.gather(*tasks)
    for reader in readers:
        answer = client.Answer(reader)
        if answer.error or not answer.is_whole:
            raise SystemExit(f"serve_load: a normal client: {answer.error or 'cut off'}")
        gaps += answer.gaps()


async def measure(options, port):
    """Waits of normal clients for the measurement's seconds."""
    gaps = []
    async with normal_clients(options, port, gaps):
        await asyncio.sleep(options.seconds)
    return gaps


def judge(options, result, name):
    """Adds the ratio of the percentiles; problems."""
    result["p99_ratio"] = result[f"{name}_p99_ms"] / max(result["without_p99_ms"], 1e-9)
    if options.max_ratio is None or result["p99_ratio"] <= options.max_ratio:
        return []
    return [f"p99 {name} is {result['p99_ratio']:.2f} times that without, at most {options.max_ratio} was asked for"]


async def read_slowly(port, body, rng):
    """A byte now and then, until the server gives up. Small segments and buffers keep the kernel from taking the
    whole answer in our place."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        connection.setblocking(False)
        with contextlib.suppress(ConnectionError):
            await loop.sock_connect(connection, ("127.0.0.1", port))
            await loop.sock_sendall(connection, client.request_bytes(body))
            while await loop.sock_recv(connection, 1):
                await asyncio.sleep(rng.uniform(0.05, 0.5))


async def run_slow(options, server):
    rng = random.Random(options.seed)
    without = await measure(options, server.port)
    # Some 100 KB each, half of which the kernel takes here; the rest stays in the server.
    tasks = [asyncio.create_task(read_slowly(server.port, {**request(i, 200), "n": 2}, rng))
             for i in range(options.slow)]
    end = time.monotonic() + SETTLE_SECONDS
    is_generated = False
    while not is_generated and time.monotonic() < end:
        await asyncio.sleep(0.3)
        metrics = await asyncio.to_thread(server.metrics)
        is_generated = metrics["forge_sequences_running"] + metrics["forge_requests_waiting"] == 0
    beside = await measure(options, server.port)
    still_open = sum(not task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    result = {"slow_clients": options.slow, "slow_clients_still_open": still_open,
              **gap_numbers("without", without), **gap_numbers("beside", beside),
              "server_peak_rss_mib": server.peak_rss_mib()}
    problems = judge(options, result, "beside")
    if not is_generated:
        problems.append("slow clients keep the engine busy: their answers are not generated to their ends")
    return result, problems


def some_ids(port):
    """Token ids that stand for words."""
    body = json.dumps({"prompt": SHARED + " ".join(SUBJECTS), "add_special_tokens": False}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/tokenize", body) as answer:
        return json.load(answer)["tokens"]


async def run_long_prompt(options, server):
    rng = random.Random(options.seed)
    ids = some_ids(server.port)
    without = await measure(options, server.port)
    windows, gaps, problems = [], [], []
    async with normal_clients(options, server.port, gaps):
        for _ in range(options.rounds):
            body = {"prompt": rng.choices(ids, k=options.prompt_len), "max_tokens": 1, "stream": True,
                    "add_special_tokens": False}
            begin = time.monotonic()
            answer = await client.ask(server.port, body)
            windows.append((begin, time.monotonic()))
            if answer.error or not answer.is_whole:
                problems.append(f"the long prompt: {answer.error or 'cut off'}")
                break
            await asyncio.sleep(0.2)
    result = {"prompt_tokens": options.prompt_len,
              "prompt_mean_ms": sum(end - begin for begin, end in windows) / len(windows) * 1e3,
              **gap_numbers("without", without), **gap_numbers("during", overlapping(gaps, windows))}
    return result, problems + judge(options, result, "during")
