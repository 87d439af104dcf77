"""The curl commands of README.md against `forge serve`. Trusts: the answers that README.md shows.

They stand in its ```console blocks: a command after "$ ", then the answer's lines. JSON is compared by
value, whatever its line breaks; numbers by kind only; a string that is shown as "..." may be any. Of a
stream each shown event must come, in that order.
"""
import json
import pathlib
import re
import shutil
import subprocess
import unittest

from forge_server import PATIENCE_S, ServerCase

README = pathlib.Path(__file__).parents[3] / "README.md"
ADDRESS = "127.0.0.1:8080"


def examples():
    """(command, shown answer) of each command."""
    for block in re.findall(r"^```console\n(.*?)^```$", README.read_text(), re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, answer = part.partition("\n")
            yield command, answer.strip()


def fits(found, shown):
    """Whether a value is as README.md shows it."""
    if isinstance(shown, dict):
        return isinstance(found, dict) and found.keys() == shown.keys() and all(
            fits(found[name], value) for name, value in shown.items())
    if isinstance(shown, list):
        return isinstance(found, list) and len(found) == len(shown) and all(map(fits, found, shown))
    if isinstance(shown, str):
        return isinstance(found, str) and (found == shown or shown == "...")
    if isinstance(shown, bool) or shown is None:
        return found is shown
    return isinstance(found, (int, float)) and not isinstance(found, bool)


def events(text):
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


if not shutil.which("curl"):
    raise unittest.SkipTest("no curl")


class ReadmeCommands(ServerCase):
    FLAGS = ()

    def check(self, found, shown):
        if shown.startswith("{"):
            found, shown = json.loads(found), json.loads(shown)
            self.assertTrue(fits(found, shown), f"found {found}, shown {shown}")
        elif shown.startswith("data: "):
            rest = iter(events(found))
            for event in events(shown):
                self.assertTrue(any(fits(other, event) for other in rest), f"{event} is not in {found}")
        else:
            self.assertEqual(found.strip(), shown)

    def test_each_command_answers_as_shown(self):
        found = list(examples())
        self.assertGreaterEqual(len(found), 6)
        for command, shown in found:
            with self.subTest(command):
                self.assertIn(ADDRESS, command)
                # --fail: an HTTP error is curl's error too.
                command = command.replace(ADDRESS, self.server.origin.removeprefix("http://"))
                done = subprocess.run(["bash", "-o", "pipefail", "-c", command.replace("curl ", "curl --fail ", 1)],
                                      capture_output=True, text=True, timeout=PATIENCE_S)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.check(done.stdout, shown)

    def test_a_wrong_answer_does_not_fit(self):
        shown = {"id": "...", "n": 1, "list": ["a"], "none": None}
        self.assertTrue(fits({"id": "x", "n": 2.5, "list": ["a"], "none": None}, shown))
        for wrong in ({"n": "2"}, {"n": True}, {"id": 1}, {"list": ["b"]}, {"list": []}, {"none": False}, {"more": 1}):
            self.assertFalse(fits({"id": "x", "n": 2, "list": ["a"], "none": None} | wrong, shown), wrong)
