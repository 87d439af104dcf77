"""Runs tests of Python clients against `forge serve`.

Usage: run.py FORGE CHAT_MODEL MODULE...  (modules of this folder). Exits with 77 (skipped) where
something is missing that a module cannot do without.
"""
import importlib
import sys
import unittest

import forge_server

PACKAGES = ("openai", "langchain_openai")


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def main():
    forge_server.FORGE, forge_server.CHAT_MODEL, *names = sys.argv[1:]
    try:
        modules = [importlib.import_module(name) for name in names]
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        skip(error)
    except unittest.SkipTest as error:
        skip(error)
    suite = unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromModule, modules))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)


main()
