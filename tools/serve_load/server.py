"""A forge serve of our own, and what it says of itself."""
import resource
import signal
import subprocess
import threading
import urllib.request


def allow_open_files():
    """Raises this process's limit of open files, and its children's, as far as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Server:
    """Runs while the `with` block does. Leaving it ends the server by SIGTERM; a server that does not end so is
    killed, and that is an error."""

    def __init__(self, forge, model, flags):
        command = [forge, "serve"] + ([model] if model else []) + ["--port", "0"] + flags
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.lines = []
        self.port = None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            if "listening on " in line:
                self.port = int(line.rstrip().rsplit(":", 1)[1])
                break
        if self.port is None:
            raise SystemExit("serve_load: the server ended before it listened: " + " / ".join(self.lines))
        # What it writes must be read, or it would wait for room in the pipe.
        threading.Thread(target=self._keep_reading, daemon=True).start()

    def _keep_reading(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise SystemExit("serve_load: the server did not end on SIGTERM") from None
        if code != 0 and kind is None:
            raise SystemExit(f"serve_load: the server ended with {code}: " + " / ".join(self.lines[-3:]))

    def get(self, path):
        """The text of a GET."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return answer.read().decode()

    def metrics(self):
        """Samples of /metrics by name, labels included."""
        samples = {}
        for line in self.get("/metrics").splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def peak_rss_mib(self):
        """The most memory that the server has held so far."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        raise RuntimeError("no VmHWM")

    def threads(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
