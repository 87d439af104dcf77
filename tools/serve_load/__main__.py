#!/usr/bin/env python3
"""Loads a server in ways that break servers, and says whether it held: forge serve, started here.

  python3 tools/serve_load streams     --forge build/release/forge
  python3 tools/serve_load aborts      --forge build/release/forge --aborts 100000
  python3 tools/serve_load slow        --forge build/release/forge --slow 200
  python3 tools/serve_load long-prompt --forge build/release/forge --model model.gguf --prompt-len 30000
  python3 tools/serve_load prefix      --forge build/release/forge --model model.gguf --prefix-len 2000
  python3 tools/serve_load start       --forge build/release/forge --model model.gguf

streams      many streaming clients at once: each must get, whole, the answer its prompt gets alone. Prints the
             server's peak memory and the time between two deliveries of a stream.
aborts       clients that leave at random moments, in orderly and in rude ways: afterwards no sequence runs, none
             waits, no cache block is in use, and a fixed load goes as fast as before (the ratio is printed).
slow         clients that read a byte now and then, beside 8 that read at once, whose 99th percentile of the time
             between two deliveries is compared with what it is without the slow ones.
long-prompt  a long prompt arrives while 8 clients stream: the same percentile from its arrival until its first
             token, against the time without. Every prompt is new, so nothing comes from the prefix cache.
prefix       pairs of prompts that begin alike: the time to the first text of the first and of the second, which
             must find the beginning in the prefix cache.
start        from the start of the process to GET /ready and to the first chunk of an answer, the model's file
             dropped from the page cache (cold) and in it (warm); medians.

Exit code 0: everything held; 1: something did not (it is named on stderr); 2: the flags make no sense. Times are
not judged unless --max-ratio is given: on a shared machine they mean little. Flags for the server follow `--`:
  python3 tools/serve_load streams --forge build/release/forge -- --kv-cache-tokens 4096
The clients are one thread of Python, which takes its share of the machine from the server; bench serve measures
rates with less of it. Needs Linux, Python 3.9 and nothing else.
"""
import argparse
import asyncio
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import aborts  # noqa: E402
import interference  # noqa: E402
import prefix  # noqa: E402
import start  # noqa: E402
import streams  # noqa: E402
from server import Server, allow_open_files  # noqa: E402


def positive(text):
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("expected a positive number")
    return value


def arguments():
    parser = argparse.ArgumentParser(prog="serve_load", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--forge", required=True, help="the forge program")
    common.add_argument("--model", help="as forge serve takes it; the bundled one where not given")
    common.add_argument("--seed", type=int, default=1, help="of all that is random here [1]")
    common.add_argument("--json", action="store_true", help="one JSON object on stdout")
    modes = parser.add_subparsers(dest="mode", required=True)

    def mode(name, run, counts):
        sub = modes.add_parser(name, parents=[common])
        sub.set_defaults(run=run)
        for flag, default, text in counts:
            sub.add_argument(flag, type=positive, default=default, metavar="N", help=f"{text} [{default}]")
        return sub

    mode("streams", streams.run, [("--clients", 1000, "streams at once"), ("--tokens", 100, "of each answer"),
                                  ("--prompts", 16, "different prompts")])
    mode("aborts", aborts.run, [("--aborts", 100000, "clients that leave"), ("--clients", 64, "at once"),
                                ("--tokens", 30, "of an answer that nobody leaves"),
                                ("--rate-requests", 256, "of the load before and after")])
    slow = mode("slow", interference.run_slow, [("--slow", 200, "slow clients"), ("--clients", 8, "normal clients"),
                                                ("--tokens", 200, "of a normal answer"),
                                                ("--seconds", 10, "of each measurement")])
    long = mode("long-prompt", interference.run_long_prompt,
                [("--prompt-len", 480, "tokens of the long prompt"), ("--clients", 8, "that stream"),
                 ("--tokens", 200, "of their answers"), ("--seconds", 10, "of the measurement without"),
                 ("--rounds", 10, "long prompts, one after the other")])
    mode("prefix", prefix.run, [("--prefix-len", 320, "tokens that two prompts share"),
                                ("--own-len", 20, "tokens of their own"), ("--rounds", 5, "pairs")])
    mode("start", start.run, [("--rounds", 5, "starts, cold and warm each")])
    for sub in (slow, long):
        sub.add_argument("--max-ratio", type=float, metavar="X", help="fail where the percentiles' ratio is more")
    # argparse keeps what follows "--" only where nothing else may.
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:at])
    options.server_flags = words[at + 1:]
    return options


def main():
    options = arguments()
    allow_open_files()
    if options.mode == "start":  # it starts servers itself
        result, problems = start.run(options)
    else:
        with Server(options.forge, options.model, options.server_flags) as server:
            result, problems = asyncio.run(options.run(options, server))
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        for name, value in result.items():
            print(f"{name.replace('_', ' ')}: {round(value, 3) if isinstance(value, float) else value}")
    for problem in problems:
        print(f"serve_load: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
