#!/usr/bin/env python3
"""Files of forge quantize in the gguf package. Trusts: the gguf package.

    gguf_package_reads.py --forge FORGE --source ROOT

Of every mixture the package must list the tensors with types and shapes as `--dry-run` says, the metadata with the
file's type, and its decoders must give the values that Forge's do, which is what quantising to F32 writes. Exits with
77 (skipped) where gguf or numpy is missing.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import gguf
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

MIXTURES = ["F32", "BF16", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0",
            "IQ4_NL", "IQ4_XS", "MXFP4", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K", "Q2_K_S"]
# The package's own names of file types, where they are not MOSTLY_ and the mixture's.
FILE_TYPES = {"F32": "ALL_F32", "MXFP4": "MOSTLY_MXFP4_MOE"}


def forge(options, *arguments):
    done = subprocess.run([options.forge, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"forge {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def check(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def check_metadata(fields, mixture, n_tensors):
    file_type = gguf.LlamaFileType[FILE_TYPES.get(mixture, f"MOSTLY_{mixture}")]
    check(fields["general.file_type"].contents(), int(file_type), mixture)
    check(fields["general.architecture"].contents(), "llama", mixture)
    check(fields["general.quantization_version"].contents(), 2, mixture)
    check(len(fields["tokenizer.ggml.tokens"].contents()), len(fields["tokenizer.ggml.token_type"].contents()), mixture)
    check(fields["GGUF.tensor_count"].contents(), n_tensors, mixture)
    # Everything comes apart into something.
    for key, field in fields.items():
        if field.contents() is None:
            sys.exit(f"{mixture}: {key} has no value")


def check_mixture(options, source, folder, mixture):
    path, decoded = str(folder / f"{mixture}.gguf"), str(folder / "decoded.gguf")
    plan = forge(options, "quantize", str(source), path, "--type", mixture, "--dry-run", "-q")
    expected = dict(re.findall(r"^ *(\S+) +.*-> (\w+)", plan, re.M))
    forge(options, "quantize", str(source), path, "--type", mixture, "-q")
    forge(options, "quantize", path, decoded, "--type", "F32", "--allow-requantize", "-q", "--force")
    reader, values = gguf.GGUFReader(path), gguf.GGUFReader(decoded)
    check({t.name: t.tensor_type.name for t in reader.tensors}, expected, mixture)
    check_metadata(reader.fields, mixture, len(expected))
    for tensor, ours in zip(reader.tensors, values.tensors):
        check((tensor.name, list(tensor.shape)), (ours.name, list(ours.shape)), mixture)
        theirs = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(ours.data.shape)
        if not np.array_equal(theirs, ours.data):
            sys.exit(f"{mixture}: {tensor.name} ({tensor.tensor_type.name}) has other values")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--forge", required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True, help="the root of the source tree")
    options = parser.parse_args()
    stories = options.source / "models/forge-stories"
    with tempfile.TemporaryDirectory() as name:
        for mixture in MIXTURES:
            check_mixture(options, stories, pathlib.Path(name), mixture)
    print(f"the gguf package reads what forge quantize writes: {len(MIXTURES)} mixtures passed")


if __name__ == "__main__":
    main()
