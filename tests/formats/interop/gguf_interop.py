"""Forge's GGUF reader and writer against the gguf package. Trusts: the gguf package.

Usage: gguf_interop.py FORMATS_INTEROP. Exits with 77 (skipped) where gguf or numpy is missing.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import gguf
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

TYPE = gguf.GGUFValueType
# What sample_files.h writes; stated here again on purpose.
SCALARS = {
    "general.architecture": (TYPE.STRING, "sample"),
    "x.uint8": (TYPE.UINT8, 200),
    "x.int8": (TYPE.INT8, -100),
    "x.uint16": (TYPE.UINT16, 60000),
    "x.int16": (TYPE.INT16, -30000),
    "x.uint32": (TYPE.UINT32, 4000000000),
    "x.int32": (TYPE.INT32, -2000000000),
    "x.uint64": (TYPE.UINT64, 2**64 - 1),
    "x.int64": (TYPE.INT64, -(2**63)),
    "x.float32": (TYPE.FLOAT32, float(np.float32(1e-5))),
    "x.float64": (TYPE.FLOAT64, 0.1),
    "x.true": (TYPE.BOOL, True),
    "x.false": (TYPE.BOOL, False),
    "x.empty": (TYPE.STRING, ""),
    "x.text": (TYPE.STRING, "grüß 🌍"),
}
ARRAYS = {
    "a.uint8": (TYPE.UINT8, [0, 1, 255]),
    "a.int8": (TYPE.INT8, [-128, 127]),
    "a.uint16": (TYPE.UINT16, [0, 65535]),
    "a.int16": (TYPE.INT16, [-32768, 32767]),
    "a.uint32": (TYPE.UINT32, [0, 2**32 - 1]),
    "a.int32": (TYPE.INT32, [-(2**31), 0, 2**31 - 1]),
    "a.uint64": (TYPE.UINT64, [0, 2**64 - 1]),
    "a.int64": (TYPE.INT64, [-(2**63), 2**63 - 1]),
    "a.float32": (TYPE.FLOAT32, [1.5, float(np.float32(-0.1))]),
    "a.float64": (TYPE.FLOAT64, [0.1, -1e300]),
    "a.bool": (TYPE.BOOL, [True, False, True]),
    "a.string": (TYPE.STRING, ["", "\u2581the", "<0x0A>", "Straße"]),
}
# name, type, shape outermost first, bytes
TENSORS = [
    ("half", "F16", [2, 3, 5], 60),
    ("brain", "BF16", [7], 14),
    ("q8", "Q8_0", [3, 64], 3 * 2 * 34),
    ("q4k", "Q4_K", [2, 256], 2 * 144),
    ("mx", "MXFP4", [1, 2, 1, 32], 2 * 17),
    ("token_embd.weight", "F32", [4, 8], 128),
]


def tensor_bytes(index, dtype, size):
    if dtype == "F32":
        return (np.arange(size // 4, dtype=np.float32) / 2 - 3).tobytes()
    return bytes((37 * i + 11 + index) & 0xFF for i in range(size))


def check(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


def check_sample(paths, n_extra):
    """Our file (or parts), read by the package."""
    readers = [gguf.GGUFReader(path) for path in paths]
    fields = readers[0].fields
    for key, (kind, value) in SCALARS.items():
        check(fields[key].types, [kind], key)
        check(fields[key].contents(), value, key)
    for key, (kind, values) in ARRAYS.items():
        check(fields[key].types, [TYPE.ARRAY, kind], key)
        check(fields[key].contents(), values, key)
    header = 3  # version and counts, which the package lists as fields
    check(len(fields), header + len(SCALARS) + len(ARRAYS) + n_extra, "number of keys")
    tensors = [tensor for reader in readers for tensor in reader.tensors]
    check(len(tensors), len(TENSORS), "number of tensors")
    for index, (tensor, (name, dtype, shape, size)) in enumerate(zip(tensors, TENSORS)):
        check(tensor.name, name, "name")
        check(tensor.tensor_type.name, dtype, name)
        check([int(n) for n in reversed(tensor.shape)], shape, name)
        check(tensor.data.tobytes(), tensor_bytes(index, dtype, size), name)


def dump(program, path):
    return json.loads(subprocess.run([program, "dump", path], check=True, capture_output=True).stdout)


def check_dump(found, tensors):
    """A file of the package, read by us."""
    for key, (kind, value) in SCALARS.items():
        check(found["metadata"][key]["type"], kind.name.lower(), key)
        check(found["metadata"][key]["value"], value, key)
    for key, (kind, values) in ARRAYS.items():
        check(found["metadata"][key]["type"], "array", key)
        check(found["metadata"][key]["element"], kind.name.lower(), key)
        check(found["metadata"][key]["value"], values, key)
    check(len(found["tensors"]), len(tensors), "number of tensors")
    for tensor, (name, dtype, shape, data) in zip(found["tensors"], tensors):
        check(tensor, {"name": name, "dtype": dtype, "shape": shape, "data": data.hex()}, name)


def write_with_package(path, **options):
    writer = gguf.GGUFWriter(path, "sample", **options)
    for key, (kind, value) in SCALARS.items():
        if key != "general.architecture":
            writer.add_key_value(key, value, kind)
    for key, (kind, values) in ARRAYS.items():
        writer.add_key_value(key, values, TYPE.ARRAY, sub_type=kind)
    rng = np.random.default_rng(7)
    tensors = []
    for i, kind in enumerate(["F32", "F16", "BF16", "Q8_0", "Q5_0", "Q4_1", "Q8_0", "F32"]):
        dtype = gguf.GGMLQuantizationType[kind]
        values = rng.standard_normal((2 + i, 64), dtype=np.float32)
        data = gguf.quants.quantize(values, dtype)
        plain = kind in ("F32", "F16")
        writer.add_tensor(f"t{i}", data, raw_dtype=None if plain else dtype)
        tensors.append((f"t{i}", kind, [2 + i, 64], data.tobytes()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tensors


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([program, "write", folder], check=True)
        check_sample([folder / "sample.gguf"], 0)
        check_sample([folder / "sample-v2.gguf"], 0)
        parts = [folder / f"split-{i + 1:05}-of-00002.gguf" for i in range(2)]
        check_sample(parts, 3)  # split.no, split.count, split.tensors.count
        for version in ("sample.gguf", "sample-v2.gguf", parts[0].name):
            tensors = [
                (name, dtype, shape, tensor_bytes(i, dtype, size))
                for i, (name, dtype, shape, size) in enumerate(TENSORS)
            ]
            check_dump(dump(program, folder / version), tensors)

        tensors = write_with_package(folder / "package.gguf")
        check_dump(dump(program, folder / "package.gguf"), tensors)
        tensors = write_with_package(folder / "cut.gguf", split_max_tensors=3)
        check_dump(dump(program, folder / "cut-00001-of-00003.gguf"), tensors)
    print("gguf package reads Forge's files (v2, v3, split), Forge reads the package's (whole, split)")


main()
