"""Finding and installing peers. Nothing is downloaded unless the caller allows it."""
import os
import shutil
import subprocess
import sys


class Failure(Exception):
    """Why a peer cannot be had; one line."""


def _run(command, what, cwd=None, environment=None):
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **(environment or {})}, capture_output=True,
                          text=True, errors="replace")
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Failure(f"{what} failed: {lines[-1].strip() if lines else 'no message'}")


def _imports(python, module):
    probe = subprocess.run([python, "-c", f"import {module}"], capture_output=True)
    return probe.returncode == 0


def python_with(module, name, packages, environment, options):
    """An interpreter that imports the module: one that was named, this one, or a venv under --work."""
    venv = os.path.abspath(os.path.join(options.work, module))
    own = os.path.join(venv, "bin", "python")
    for python in options.python + [sys.executable] + ([own] if os.path.exists(own) else []):
        if _imports(python, module):
            return python
    if not options.install:
        raise Failure("not installed (--install would try)")
    print(f"installing {name} into {venv}", file=sys.stderr)
    _run([sys.executable, "-m", "venv", venv], "making a venv")
    _run([own, "-m", "pip", "install", *packages], f"pip install {' '.join(packages)}", environment=environment)
    if not _imports(own, module):
        raise Failure(f"installed, but import {module} fails")
    return own


def llama_bench_of_node_llama_cpp(work, may_install):
    """Path of llama-bench, built (with llama-batched-bench, native and static) from the source in the npm
    package."""
    folder = os.path.abspath(os.path.join(work, "node-llama-cpp"))
    source = os.path.join(folder, "llama.cpp")
    build = os.path.join(source, "build")
    program = os.path.join(build, "bin", "llama-bench")
    if os.path.exists(program):
        return program
    if not may_install:
        raise Failure("not built (--install would try)")
    for tool in ("npm", "git", "cmake"):
        if not shutil.which(tool):
            raise Failure(f"{tool} is not installed")
    print(f"installing node-llama-cpp and building its llama.cpp in {folder}", file=sys.stderr)
    os.makedirs(folder, exist_ok=True)
    _run(["npm", "install", "--prefix", folder, "--ignore-scripts", "node-llama-cpp"], "npm install")
    bundle = os.path.join(folder, "node_modules", "node-llama-cpp", "llama", "gitRelease.bundle")
    if not os.path.exists(bundle):
        raise Failure("the npm package holds no llama.cpp source (llama/gitRelease.bundle)")
    if not os.path.exists(source):
        _run(["git", "clone", "--quiet", bundle, source], "git clone")
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DBUILD_SHARED_LIBS=OFF",
               "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_SERVER=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF"]
    _run(["cmake", "-S", source, "-B", build, *options], "cmake")
    _run(["cmake", "--build", build, "-j", str(len(os.sched_getaffinity(0))), "--target", "llama-bench",
          "llama-batched-bench"], "building llama-bench")
    return program
