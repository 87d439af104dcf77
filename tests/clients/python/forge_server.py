"""Starts `forge serve` for a test and reads its metrics. Python's own library only."""
import re
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

# Set by run.py: the program, and a folder of the bundled model with a chat template.
FORGE = ""
CHAT_MODEL = ""
MODEL_NAME = "forge-stories"
# Seconds until something that takes milliseconds counts as never: sanitizers and busy machines are slow.
PATIENCE_S = 60


class ForgeServer:
    """A server on a free port of this machine; flags: more of `forge serve`'s. Not for several threads."""

    def __init__(self, *flags):
        self.log = tempfile.TemporaryFile("w+")
        command = [FORGE, "serve", CHAT_MODEL, "--port", "0", "--served-model-name", MODEL_NAME, *flags]
        self.process = subprocess.Popen(command, stderr=self.log)
        self.origin = self._wait_for_address()
        self.url = f"{self.origin}/v1"

    def _wait_for_address(self):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.log.seek(0)
            text = self.log.read()
            if found := re.search(r"listening on (\S+)\n", text):
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.process.kill()
        raise RuntimeError(f"forge serve did not start: {text}")

    def metrics(self):
        """{'NAME{LABELS}': value} of /metrics."""
        with urllib.request.urlopen(f"{self.origin}/metrics", timeout=PATIENCE_S) as response:
            lines = response.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def wait_for(self, is_true, what):
        """The first metrics for which is_true(metrics)."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_true(metrics := self.metrics()):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain until {what}: {metrics}")
            time.sleep(0.01)
        return metrics

    def wait_until_idle(self):
        """Metrics once nothing runs or waits and no cache block is held."""
        held = ("forge_sequences_running", "forge_requests_waiting", 'forge_kv_cache_blocks{state="used"}')
        return self.wait_for(lambda metrics: not any(metrics[name] for name in held), "the server is idle")

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.log.close()


class ServerCase(unittest.TestCase):
    """Tests that share one server, which must be idle and stop cleanly after them."""

    FLAGS = ("--public-metrics",)

    @classmethod
    def setUpClass(cls):
        cls.server = ForgeServer(*cls.FLAGS)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.server.wait_until_idle()
        finally:
            code = cls.server.stop()
        assert code == 0, f"forge serve ended with {code}"
