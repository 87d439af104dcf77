"""Stage probe: the device, the compiler, Python's packages, libraries that are missing. Wrong only where a GPU is
needed and there is none."""
import os
import platform
import shutil

import machine
from report import Failure


def run(settings, report):
    facts, reason = machine.driver_device()
    if facts:
        report.told("device", f"{facts['name']}, {facts['memory_bytes'] / 2**30:.0f} GiB, {facts['n_processors']} SMs, "
                    f"L2 {facts['l2_bytes'] / 2**20:.0f} MiB, compute capability {facts['cc_major']}."
                    f"{facts['cc_minor']}, driver for CUDA {facts['driver_cuda']}", facts=facts)
        report.told("nvidia-smi", machine.smi())
    else:
        report.told("device", reason)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    report.told("host", f"{len(os.sched_getaffinity(0))} CPUs, {memory:.0f} GiB, "
                f"{shutil.disk_usage('.').free / 2**30:.0f} GiB of disk, {platform.platform()}")
    report.told("compilers", f"nvcc: {machine.version_of(machine.nvcc())}; g++: {machine.version_of('g++')}; "
                f"{machine.version_of('cmake')}; ninja {machine.version_of('ninja')}")
    report.told("tools", "compute-sanitizer: " + machine.version_of("compute-sanitizer") + "; " + ", ".join(
        f"{tool} {'is there' if shutil.which(tool) else 'is not'}" for tool in ("nsys", "ncu", "cuda-gdb")))
    report.told("Python", f"{platform.python_version()}; " + ", ".join(
        f"{name} {machine.package(name)}" for name in ("torch", "transformers", "safetensors", "triton", "numpy")))
    missing = machine.missing_libraries()
    source = f"taken from {settings.prefix}" if settings.prefix else "--prefix takes what pack_dependencies.sh packs"
    report.told("libraries", "all there" if not missing else
                "missing: " + ", ".join(f"{name} (for {user})" for name, user in missing) + "; " + source)
    if not facts and settings.device == "cuda" and not settings.architecture:
        raise Failure("no GPU: " + reason)
