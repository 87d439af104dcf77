#!/usr/bin/env python3
"""Print what each type of forge quantize costs a model, as the tables of docs/perf/quality.md.

    python3 tools/quantization_table.py --forge build/release/forge --model FOLDER --text FILE

quantises the model to every type in a temporary folder and compares each file with the original
(forge compare-quality) on the text.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HEADER = """| type | bits per weight | mean KL | KL at 99 % | same top token | perplexity over the original's |
|---|---|---|---|---|---|"""


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def interval(numbers, factor=1.0, unit=""):
    """The value and half the width of its interval."""
    half = factor * (numbers["high"] - numbers["low"]) / 2
    return f"{factor * numbers['value']:.3g} ± {half:.1g}{unit}"


def row(options, name, folder):
    file = Path(folder) / f"{name}.gguf"
    plan = run(options.forge, "quantize", options.model, file, "--type", name, "--dry-run", "-q")
    run(options.forge, "quantize", options.model, file, "--type", name, "-q")
    found = json.loads(run(options.forge, "compare-quality", options.model, file, "--file", options.text,
                           "--ctx", options.ctx, "--json"))
    file.unlink()
    bits = re.search(r"([\d.]+) bits per weight", plan).group(1)
    ratio = found["perplexity_ratio"]
    half = (ratio["high"] - ratio["low"]) / 2
    top = found["same_top"]
    print(f"| {name} | {bits} | {interval(found['mean_kl'])} | {found['p99_kl']:.2g} | "
          f"{100 * top['value']:.1f} ± {50 * (top['high'] - top['low']):.1f} % | "
          f"{ratio['value']:.4f} ± {half:.4f} |", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forge", required=True)
    parser.add_argument("--model", required=True, help="a folder, or a GGUF file that is not quantised")
    parser.add_argument("--text", required=True)
    parser.add_argument("--ctx", type=int, default=256)
    options = parser.parse_args()
    types = run(options.forge, "quantize", "--help")
    names = re.findall(r"\b(?:BF16|F16|(?:IQ|Q)\d_\w+|MXFP4)\b", types[types.index("One of"):])
    names = list(dict.fromkeys(names))
    print(HEADER)
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            found = row(options, name, folder)
    print(f"\n{found['tokens_scored']} tokens scored in {found['windows']} windows of {found['ctx']}; perplexity of "
          f"the original {found['perplexity_a']['value']:.3f}")


if __name__ == "__main__":
    main()
