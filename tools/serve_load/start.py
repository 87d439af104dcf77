"""How long a server takes from the start of its process until it is ready, and until it has answered."""
import json
import os
import statistics
import time
import urllib.request

from server import Server

PROMPT_LEN = 16


def drop_from_page_cache(path):
    """What the kernel keeps of a file in memory; nothing for a folder or the bundled model."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def once(options, is_cold):
    """Milliseconds until GET /ready has answered, and until the first chunk of an answer."""
    if is_cold:
        for path in (options.forge, options.model):
            if path and os.path.isfile(path):
                drop_from_page_cache(path)
    begin = time.perf_counter()
    with Server(options.forge, options.model, options.server_flags) as server:
        server.get("/ready")
        ready = time.perf_counter()
        body = {"prompt": list(range(5, 5 + PROMPT_LEN)), "max_tokens": 2, "stream": True, "temperature": 0}
        url = f"http://127.0.0.1:{server.port}/v1/completions"
        with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=60) as answer:
            answer.readline()
            first = time.perf_counter()
            answer.read()
    return (ready - begin) * 1e3, (first - begin) * 1e3


def run(options):
    result = {}
    for name, is_cold in (("cold", True), ("warm", False)):
        ready, first = zip(*(once(options, is_cold) for _ in range(options.rounds)))
        result[f"{name}_ready_ms"] = statistics.median(ready)
        result[f"{name}_first_token_ms"] = statistics.median(first)
        result[f"{name}_ready_worst_ms"] = max(ready)
    return result, []
