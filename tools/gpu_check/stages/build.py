"""Stage build: forge, the tests of the kernels and the ceilings program, for the one architecture that is present.
Programs that were brought along (--programs) and run here are not built again."""
import os
import shutil
import subprocess
import tarfile

import commands
import machine
import programs
from report import Failure

# CMake's targets; where each program lies below the build folder is found out.
TARGETS = ("forge", "cuda_device_tests")


def architecture(settings):
    if settings.architecture:
        return settings.architecture
    facts, reason = machine.driver_device()
    if not facts:
        raise Failure(f"for which architecture? {reason}; --architecture names one")
    return machine.architecture(facts)


def with_suffix(target_architecture):
    """"90a" of "90": all instructions of that one architecture."""
    return target_architecture + "a" if int(target_architecture) >= 90 else target_architecture


def unpacked_prefix(settings):
    """The folder that holds usr/include and usr/lib, or None."""
    if not settings.prefix or os.path.isdir(settings.prefix):
        return settings.prefix and os.path.abspath(settings.prefix)
    folder = os.path.join(settings.work, "dependencies")
    mark = os.path.join(folder, "from")
    stamp = f"{os.path.getsize(settings.prefix)}"
    if not os.path.exists(mark) or open(mark, encoding="utf-8").read() != stamp:
        shutil.rmtree(folder, ignore_errors=True)
        with tarfile.open(settings.prefix) as packed:
            packed.extractall(folder)
        with open(mark, "w", encoding="utf-8") as out:
            out.write(stamp)
    return folder


def cmake_arguments(settings, prefix, target_architecture):
    arguments = ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DFORGE_CUDA=ON", "-DFORGE_BUILD_EXAMPLES=OFF",
                 "-DFORGE_BUILD_TESTS=ON", f"-DFORGE_CUDA_ARCHITECTURES={target_architecture}",
                 f"-DFORGE_NVCC={machine.nvcc()}"]
    if prefix:
        usr = os.path.join(prefix, "usr")
        libraries = [os.path.join(usr, "lib", triple) for triple in sorted(os.listdir(os.path.join(usr, "lib")))
                     if "-linux-gnu" in triple]
        includes = [os.path.join(usr, "include")] + [
            os.path.join(usr, "include", os.path.basename(folder)) for folder in libraries]
        # Some headers are included as the system's are, without a target that says where they lie.
        flags = " ".join("-isystem " + folder for folder in includes if os.path.isdir(folder))
        arguments += ["-DCMAKE_PREFIX_PATH=" + usr, "-DCMAKE_LIBRARY_PATH=" + ";".join(libraries),
                      "-DCMAKE_CXX_FLAGS=" + flags, "-DCMAKE_CUDA_FLAGS=" + flags]
        for folder in libraries:
            cmake = os.path.join(folder, "cmake")
            boost = [name for name in os.listdir(cmake) if name.startswith("Boost-")] if os.path.isdir(cmake) else []
            arguments += ["-DBoost_DIR=" + os.path.join(cmake, name) for name in boost]
    return arguments


def start_ceilings(settings, target_architecture):
    """nvcc at work beside CMake: (process, path)."""
    path = os.path.join(programs.folder_of(settings), "ceilings")
    sources = os.path.join(settings.source, "bench", "cuda")
    files = [os.path.join(sources, name) for name in sorted(os.listdir(sources)) if name.endswith(".cu")]
    command = [machine.nvcc(), "-std=c++20", "-O3", f"-arch=sm_{with_suffix(target_architecture)}", "-I", settings.source,
               "-I", os.path.join(settings.source, "src"), "-o", path, *files, "-ldl"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True), path


def find_in(folder, name):
    for place, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f != "CMakeFiles"]
        if name in files and os.access(os.path.join(place, name), os.X_OK):
            return os.path.join(place, name)
    return None


def build_with_cmake(settings, report, prefix, target_architecture):
    folder = os.path.join(settings.work, "cmake")
    commands.run(["cmake", "-S", settings.source, "-B", folder,
                  *cmake_arguments(settings, prefix, target_architecture)], settings, "cmake")
    for target in TARGETS:
        # One after the other: where the tests do not compile there is still a program to measure.
        try:
            commands.run(["ninja", "-C", folder, target], settings, f"building {target}")
            found = find_in(folder, target)
            if not found:
                raise Failure(f"{target} was built, but where?")
            shutil.copy2(found, programs.folder_of(settings))
            report.check(target, True, f"built for sm_{target_architecture}")
        except Failure as reason:
            report.check(target, False, str(reason))


def runs(path):
    """Whether a program that was brought along starts on this machine."""
    try:
        arguments = {"forge": ["version"], "cuda_device_tests": ["--gtest_list_tests"]}.get(os.path.basename(path), ["--help"])
        return subprocess.run([path, *arguments], capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def run(settings, report):
    brought = {name: programs.find(settings, name) for name in programs.NAMES} if settings.programs else {}
    if brought and all(brought.values()) and all(runs(path) for path in brought.values()):
        report.check("programs", True, f"those in {settings.programs} run here; nothing is built")
        report.told("version", commands.run([brought["forge"], "version"], settings).stdout.splitlines()[0])
        return
    if not machine.nvcc():
        raise Failure("nvcc is not installed")
    missing = machine.missing_libraries()
    if missing and not settings.prefix:
        report.told("libraries", "missing: " + ", ".join(name for name, _ in missing) +
                    "; tools/gpu_check/pack_dependencies.sh packs them on a machine that has them")
    target_architecture = architecture(settings)
    os.makedirs(programs.folder_of(settings), exist_ok=True)
    ceilings, path = start_ceilings(settings, target_architecture)
    try:
        build_with_cmake(settings, report, unpacked_prefix(settings), target_architecture)
    finally:
        said = ceilings.communicate()[0]
        commands.log(said)
    report.check("ceilings", ceilings.returncode == 0, "built" if ceilings.returncode == 0 else
                 "nvcc: " + commands.last_words(said), program=path)
