"""Forge's safetensors reader and writer against the safetensors package. Trusts: that package.

Usage: safetensors_interop.py FORMATS_INTEROP. Exits with 77 (skipped) where safetensors is missing.
"""
import ctypes
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    import safetensors
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

# What sample_files.h writes; stated here again on purpose: name, type, shape, bytes.
TENSORS = [
    ("model.embed_tokens.weight", "F32", [4, 3], 48),
    ("brain", "BF16", [2, 1, 3, 2], 24),
    ("half", "F16", [5], 10),
    ("scalar", "F32", [], 4),
]


def tensor_bytes(index, dtype, size):
    if dtype == "F32":
        return b"".join(struct.pack("<f", i / 2 - 3) for i in range(size // 4))
    return bytes((37 * i + 11 + index) & 0xFF for i in range(size))


def check(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def serialize(tensors):
    """The package's own file of these tensors; its interface changed with version 0.8."""
    names = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
    entries = {name: {**tensor, "dtype": names[tensor["dtype"]]} for name, tensor in tensors.items()}
    if not hasattr(safetensors, "TensorSpec"):
        return safetensors.serialize(entries, {"format": "pt"})
    buffers = {name: ctypes.create_string_buffer(entry.pop("data")) for name, entry in entries.items()}
    specs = {
        name: safetensors.TensorSpec(
            **entry,
            data_ptr=ctypes.addressof(buffers[name]),
            data_len=len(buffers[name]) - 1,  # ctypes adds a zero byte
        )
        for name, entry in entries.items()
    }
    return safetensors.serialize(specs, {"format": "pt"})


def main():
    program = sys.argv[1]
    expected = {
        name: {"dtype": dtype, "shape": shape, "data": tensor_bytes(i, dtype, size)}
        for i, (name, dtype, shape, size) in enumerate(TENSORS)
    }
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([program, "write", folder], check=True)
        ours = (folder / "sample.safetensors").read_bytes()
        found = {name: {**entry, "data": bytes(entry["data"])}
                 for name, entry in safetensors.deserialize(ours)}
        check(found, expected, "our file, read by the package")

        (folder / "theirs.safetensors").write_bytes(serialize(expected))
        dump = subprocess.run([program, "dump", folder / "theirs.safetensors"], check=True,
                              capture_output=True)
        found = {tensor.pop("name"): {**tensor, "data": bytes.fromhex(tensor["data"])}
                 for tensor in json.loads(dump.stdout)["tensors"]}
        check(found, expected, "the package's file, read by us")
    print("the safetensors package reads Forge's file, Forge reads the package's")


main()
