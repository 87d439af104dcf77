#!/usr/bin/env python3
"""Runs tools/compare_cpu with Forge alone, and its arithmetic on numbers whose result is known.

  compare_cpu_test.py --forge build/release/forge
"""
import argparse
import math
import os
import subprocess
import sys

TOOLS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(TOOLS, "compare_cpu"))
import engines  # noqa: E402
import quality  # noqa: E402
import table  # noqa: E402


def expect(condition, what):
    if not condition:
        sys.exit(f"failed: {what}")


def check_arithmetic():
    # KL of (1/2, 1/2) to (1/4, 3/4) is log(2)/2 + log(2/3)/2; the second position is the same in both.
    p = [[math.log(0.5), math.log(0.5)], [math.log(0.9), math.log(0.1)]]
    q = [[math.log(0.25), math.log(0.75)], [math.log(0.9), math.log(0.1)]]
    divergence, agreement = quality._compare(p, q)
    expect(math.isclose(divergence, (math.log(2) + math.log(2 / 3)) / 4), f"KL is {divergence}")
    expect(agreement == 0.5, f"agreement is {agreement}")
    expect(engines.last_words("loading\nerror: no such file\nbye") == "error: no such file", "last_words")
    expect(table._cell((200.0, 190.0, 210.0)) == "200 ±5%", "cell")


def check_run(forge):
    command = [sys.executable, os.path.join(TOOLS, "compare_cpu"), "--forge", forge, "--random", "tiny-test:q8_0",
               "--prompt", "8", "--gen", "2", "--batch", "1,2", "--rounds", "2", "--only", "forge"]
    done = subprocess.run(command, capture_output=True, text=True)
    expect(done.returncode == 0, done.stderr)
    for text in ("| engine ", "| forge ", "tg2 x 2", "mean KL", "All engines took part."):
        expect(text in done.stdout, f"{text!r} is not in\n{done.stdout}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--forge", required=True)
    check_arithmetic()
    check_run(parser.parse_args().forge)
    print("compare_cpu: passed")


if __name__ == "__main__":
    main()
