"""What this machine has: NVIDIA device, compiler, libraries, Python packages. Only reads; settings of the card are
never touched."""
import ctypes
import importlib.metadata
import os
import shutil
import subprocess

# CUdevice_attribute of cuda.h.
ATTRIBUTES = {"n_processors": 16, "l2_bytes": 38, "shared_bytes": 97, "cc_major": 75, "cc_minor": 76,
              "cooperative": 95}
SMI_FIELDS = ("clocks.sm", "clocks.max.sm", "clocks.mem", "clocks.max.mem", "temperature.gpu", "power.limit",
              "ecc.mode.current")
# Of tools/install_deps.sh: what it is called, a header or archive that is there with it, who needs it.
LIBRARIES = (("fmt", "fmt/format.h", "forge"), ("rapidjson", "rapidjson/document.h", "forge"),
             ("CLI11", "CLI/CLI.hpp", "forge"), ("pcre2", "libpcre2-8.a", "forge"),
             ("utf8proc", "libutf8proc.a", "forge"), ("xxhash", "xxhash.h", "forge"),
             ("boost", "boost/asio.hpp", "forge"), ("openssl", "libssl.a", "forge"),
             ("boost_context", "libboost_context.a", "tests"), ("gtest", "libgtest.a", "tests"))


# Where containers mount the driver, which the loader may not know.
DRIVERS = ("libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1", "/usr/local/nvidia/lib/libcuda.so.1")


def _driver():
    for path in DRIVERS:
        try:
            return ctypes.CDLL(path)
        except OSError:
            continue
    return None


def driver_device():
    """(facts, reason): the first device as the driver describes it; facts is None where there is none."""
    cuda = _driver()
    if cuda is None:
        return None, "no NVIDIA driver (libcuda.so.1 is not there)"
    code = cuda.cuInit(0)
    if code != 0:
        return None, f"the NVIDIA driver finds no device (cuInit answers {code})"
    device, version, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(100)
    if cuda.cuDeviceGet(ctypes.byref(device), 0) != 0:
        return None, "the NVIDIA driver finds no device"
    cuda.cuDeviceGetName(name, len(name), device)
    cuda.cuDriverGetVersion(ctypes.byref(version))
    total = ctypes.c_size_t()
    cuda.cuDeviceTotalMem_v2(ctypes.byref(total), device)
    facts = {"name": name.value.decode(), "driver_cuda": f"{version.value // 1000}.{version.value % 1000 // 10}",
             "memory_bytes": total.value}
    for attribute, number in ATTRIBUTES.items():
        value = ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(value), number, device)
        facts[attribute] = value.value
    return facts, ""


def architecture(facts):
    """As FORGE_CUDA_ARCHITECTURES has it: "90" for 9.0."""
    return str(10 * facts["cc_major"] + facts["cc_minor"])


def smi():
    """What nvidia-smi reads of the first device, or the reason why not."""
    program = shutil.which("nvidia-smi")
    if not program:
        return "nvidia-smi is not installed"
    fields = ("driver_version",) + SMI_FIELDS
    try:
        done = subprocess.run([program, "--query-gpu=" + ",".join(fields), "--format=csv,noheader"],
                              capture_output=True, text=True, timeout=8)
    except subprocess.TimeoutExpired:
        return "nvidia-smi does not answer"
    if done.returncode != 0:
        return "nvidia-smi: " + (done.stdout + done.stderr).strip().splitlines()[0]
    return ", ".join(f"{k} {v.strip()}" for k, v in zip(fields, done.stdout.splitlines()[0].split(",")))


def nvcc():
    """Path of the compiler, or None."""
    return shutil.which("nvcc") or next(
        (p for p in (os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin", "nvcc"),)
         if os.access(p, os.X_OK)), None)


def version_of(program, *arguments):
    """The last line of what a program says of its version, or "not installed"."""
    path = program if os.path.isabs(program or "") else shutil.which(program or "")
    if not path:
        return "not installed"
    done = subprocess.run([path, *(arguments or ("--version",))], capture_output=True, text=True)
    lines = [line for line in (done.stdout or done.stderr).splitlines() if line.strip()]
    telling = [line for line in lines if "release" in line or "version" in line.lower()]
    return (telling or lines or ["?"])[0].strip()


def package(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def missing_libraries():
    """Those of LIBRARIES that are not installed."""
    folders = [os.path.join(root, part) for root in ("/usr", "/usr/local")
               for part in ("include", "lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu")]
    return [(name, user) for name, file, user in LIBRARIES
            if not any(os.path.exists(os.path.join(folder, file)) for folder in folders)]
