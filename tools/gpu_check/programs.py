"""Where the programs under test are: given by hand, built by the build stage, or brought along."""
import os

from report import Skip

# What the build stage makes. cuda_device_tests is tests/cuda on a device; ceilings is bench/cuda.
NAMES = ("forge", "cuda_device_tests", "ceilings")


def folder_of(settings):
    """Where the build stage puts them."""
    return os.path.join(settings.work, "programs")


def candidates(settings, name):
    given = [settings.forge] if name == "forge" and settings.forge else []
    folders = [settings.programs] if settings.programs else []
    return given + [os.path.join(folder, name) for folder in folders + [folder_of(settings)]]


def find(settings, name):
    """The program's path, or None."""
    for path in candidates(settings, name):
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return os.path.abspath(path)
    return None


def need(settings, name):
    path = find(settings, name)
    if not path:
        raise Skip(f"{name} is not built")
    return path
