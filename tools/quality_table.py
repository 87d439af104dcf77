"""Print what each storage format costs against PyTorch, as the table of docs/perf/quality.md.

    python tools/quality_table.py --tests build/release/tests/models_tests

needs what make_goldens.py needs and a built models_tests. Checkpoints of every family with rows of
256 are made in a temporary folder; the test program writes their GGUF files and measures.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HEADER = """| model | format | max error | greedy | mean KL |
|---|---|---|---|---|"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=Path, required=True, help="the models_tests program")
    options = parser.parse_args()
    make_goldens = Path(__file__).with_name("make_goldens.py")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, make_goldens, "--wide", "--out", folder], check=True,
                       stdout=subprocess.DEVNULL)
        found = subprocess.run([options.tests, "--gtest_filter=QualityTable.*"], text=True,
                               env=dict(os.environ, FORGE_QUALITY_DIR=folder),
                               stdout=subprocess.PIPE)
    rows = [line for line in found.stdout.splitlines() if line.startswith("| ")]
    if found.returncode != 0 or not rows:
        sys.exit(found.stdout)
    print(HEADER, *rows, sep="\n")


if __name__ == "__main__":
    main()
