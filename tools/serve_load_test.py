#!/usr/bin/env python3
"""Runs every mode of tools/serve_load in small, and its reading and arithmetic on bytes whose meaning is known.

  serve_load_test.py --forge build/release/forge
"""
import argparse
import asyncio
import json
import os
import subprocess
import sys
import types

TOOLS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TOOLS, "serve_load"))
import aborts  # noqa: E402
import client  # noqa: E402
import percentiles  # noqa: E402
import streams  # noqa: E402

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def expect(condition, what):
    if not condition:
        sys.exit(f"failed: {what}")


def check_arithmetic():
    expect(percentiles.percentile(range(1, 101), 99) == 99, "p99 of 1..100")
    expect(percentiles.percentile([5.0], 50) == 5.0 and percentiles.percentile([], 50) == 0.0, "percentiles of few")
    gaps = [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]
    expect(percentiles.overlapping(gaps, [(1.2, 1.5)]) == [(1.0, 2.0)], "a window inside a gap")
    expect(percentiles.overlapping(gaps, [(0.5, 2.5)]) == gaps, "a window over all gaps")
    expect(percentiles.gap_numbers("x", gaps)["x_p50_ms"] == 1000.0, "gaps in milliseconds")


def chunk(*events):
    body = b"".join(b"data: " + event + b"\n\n" for event in events)
    return b"%x\r\n%s\r\n" % (len(body), body)


def event_of(text, reason=None):
    return json.dumps({"choices": [{"text": text, "finish_reason": reason}], "usage": None}).encode()


def answer_of(wire, cuts):
    """The answer to bytes that came in pieces which end at the cuts, piece i at time i."""
    reader = types.SimpleNamespace(refusal=None, pieces=[], times=[])
    for number, (begin, end) in enumerate(zip([0] + cuts, cuts + [len(wire)])):
        reader.pieces.append(wire[begin:end])
        reader.times.append(float(number))
    return client.Answer(reader)


def check_reading():
    usage = b'{"choices": [], "usage": {"completion_tokens": 3}}'
    first, second = chunk(event_of("a")), chunk(event_of("b"), event_of("c\\n\\n", "length"))
    wire = HEAD + first + second + chunk(usage, b"[DONE]") + b"0\r\n\r\n"
    for cut in range(len(wire)):
        answer = answer_of(wire, [cut])
        expect(answer.text == "abc\\n\\n" and answer.finish_reason == "length" and answer.is_whole, f"cut at {cut}")
        # A chunk is there when its last byte is.
        text_ends = (len(HEAD) + len(first) - 2, len(HEAD) + len(first) + len(second) - 2)
        expect(answer.deliveries == sorted({0.0 if end <= cut else 1.0 for end in text_ends}), f"times, cut at {cut}")
    whole = answer_of(wire, [])
    expect(streams.problem_with(whole, whole) is None, "equal answers")
    for size in range(len(HEAD), len(wire)):
        expect(streams.problem_with(answer_of(wire[:size], []), whole) == "cut off", f"{size} bytes of {len(wire)}")
    for other in (wire.replace(b'"b"', b'"x"'), wire.replace(b'"length"', b'"abcdef"'),
                  wire.replace(b'"completion_tokens": 3', b'"completion_tokens": 2')):
        expect(streams.problem_with(answer_of(other, []), whole), "an answer that differs")
    refused = answer_of(b"HTTP/1.1 429 Too Many Requests\r\n\r\nno room", [])
    expect(refused.status == 429 and streams.problem_with(refused, whole) == "no room", "a refusal")


def check_leftovers():
    clean = {"forge_sequences_running": 0, "forge_requests_waiting": 0, 'forge_kv_cache_blocks{state="used"}': 0,
             "forge_http_connections": 1}
    aborts.SETTLE_SECONDS = 0
    for name in clean:
        dirty = {**clean, name: 2}
        left = asyncio.run(aborts.leftovers(types.SimpleNamespace(metrics=lambda dirty=dirty: dirty)))
        expect(left == {name: 2}, f"{name} is left behind")
    expect(asyncio.run(aborts.leftovers(types.SimpleNamespace(metrics=lambda: clean))) == {}, "nothing is left")


def run(forge, *words, code=0):
    done = subprocess.run([sys.executable, "-B", os.path.join(TOOLS, "serve_load"), words[0], "--forge", forge, "--json",
                           *words[1:]], capture_output=True, text=True)
    expect(done.returncode == code, f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout), done.stderr


def check_modes(forge):
    result, _ = run(forge, "streams", "--clients", "100", "--tokens", "40")
    expect(result["right_answers"] == 100 and result["inter_token_n"] > 100, result)
    expect(0 < result["server_peak_rss_mib"] < 1000 and result["server_threads"] < 20, result)
    # So little memory that sequences are preempted all the time.
    result, _ = run(forge, "streams", "--clients", "40", "--tokens", "60", "--", "--kv-cache-tokens", "512")
    expect(result["right_answers"] == 40, result)
    result, _ = run(forge, "aborts", "--aborts", "2000", "--rate-requests", "16")
    expect(result["aborts"] >= 2000 and result["left_behind"] == {} and result["after_to_before"] > 0, result)
    expect(result["moments"]["within the answer"] > 0 and result["aborted_by_the_servers_count"] > 0, result)
    result, _ = run(forge, "slow", "--slow", "30", "--seconds", "1")
    expect(result["slow_clients_still_open"] == 30 and result["beside_n"] > 10, result)
    result, _ = run(forge, "prefix", "--rounds", "2")
    expect(result["cached_tokens"] >= 2 * 320 and result["second_ttft_ms"] > 0, result)
    _, problems = run(forge, "prefix", "--rounds", "1", "--", "--no-prefix-cache", code=1)
    expect("only 0 tokens came from the prefix cache" in problems, problems)
    result, _ = run(forge, "start", "--rounds", "1")
    expect(0 < result["warm_ready_ms"] < result["warm_first_token_ms"], result)
    result, problems = run(forge, "long-prompt", "--rounds", "3", "--seconds", "1", "--max-ratio", "0.001", code=1)
    expect(result["during_n"] > 0 and "at most 0.001 was asked for" in problems, problems)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--forge", required=True)
    forge = parser.parse_args().forge
    check_arithmetic()
    check_reading()
    check_leftovers()
    check_modes(forge)
    print("serve_load: passed")


if __name__ == "__main__":
    main()
