"""Stage ceilings: what the device can do at most, by bench/cuda; bf16 products by cuBLASLt where it is installed, else by
PyTorch. Every share that later stages give is of these numbers."""
import glob
import importlib.util
import json
import os

import commands
import programs


def library_folders():
    """Where Python packages keep cuBLAS: it is often nowhere else."""
    spec = importlib.util.find_spec("nvidia")
    roots = list(spec.submodule_search_locations) if spec and spec.submodule_search_locations else []
    found = [os.path.dirname(path) for root in roots
             for path in glob.glob(os.path.join(root, "**", "libcublasLt.so*"), recursive=True)]
    return sorted(set(found))


def with_torch(report):
    """The rate of the same product by PyTorch."""
    import torch

    n = 8192
    a, b = (torch.randn(n, n, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    times = []
    for i in range(12):
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        first.record()
        torch.matmul(a, b.T)
        last.record()
        last.synchronize()
        if i >= 3:
            times.append(first.elapsed_time(last) * 1e-3)
    report.measured("bf16_products", 2.0 * n**3 / sorted(times)[len(times) // 2], "op/s",
                    note=f"PyTorch, {n} x {n} x {n}")


def run(settings, report):
    path = os.pathsep.join(library_folders() + [p for p in (os.environ.get("LD_LIBRARY_PATH"),) if p])
    done = commands.run([programs.need(settings, "ceilings")], settings, environment={"LD_LIBRARY_PATH": path})
    has_products = False
    for line in done.stdout.splitlines():
        measure = json.loads(line)
        if measure["value"] is None:
            report.told(measure["name"], measure["detail"])
        else:
            report.measured(measure["name"], measure["value"], measure["unit"], note=measure["detail"])
            has_products = has_products or measure["name"] == "bf16_products"
    if not has_products and importlib.util.find_spec("torch"):
        with_torch(report)
