"""A server with the wire of the Hugging Face Hub and of its store of large files, whose faults are known.

Usage: fake_hub.py FOLDER [CERTIFICATE KEY]. Prints "listening on URL" on stderr and serves until SIGTERM.

FOLDER/repos/ORG/NAME/REVISION/... are the files; a revision's commit is made from them. Large files (from
1000 bytes on, and all .safetensors and .gguf) are redirected to a second port, the store, which refuses every
request that carries a token, as the real ones do. FOLDER/requests.log gets a JSON line per request.

FOLDER/faults.json, read at every request: {"KEY": [FAULT, ...]}, KEY a file's name, "api" or "head FILE". A
request takes the first fault that is left of its key (each "times" times, by default once):
  {"status": N, "headers": {...}}   refuse      {"at": "store"}: at the store, not at the Hub
  {"cut": N}                        N bytes, then the connection ends
  {"stall": N}                      N bytes, then nothing, until FOLDER/go exists or for 60 s
  {"pause": N}                      N bytes, then nothing until FOLDER/go exists, then the rest
  {"corrupt": N}                    byte N is another one, in answers that hold it
  {"rate": N}                       N bytes a second
  {"redirect": URL}                 302 to there, with {file} filled in
  {"size": N}                       the answer claims that many bytes in all
  {"shift": N}                      a range's answer claims to begin N bytes later
  {"extra": N}                      N bytes more than were asked for, without a length
  {"no_range": true}                ranges are ignored
  {"body": TEXT}                    this instead of the JSON of "api"
  {"bare": true}                    "api" without sizes and hashes
  {"files": [...]}                  "api" with these entries more
FOLDER/agent, where it is there, holds the only User-Agent that takes faults and is logged: what an earlier test
left on its way does neither.
FOLDER/access.json: {"ORG/NAME": {"gated": true} or {"private": true} and the "token" that opens it}.
"""
import hashlib
import http.server
import json
import os
import re
import signal
import ssl
import sys
import threading
import time
import urllib.parse

ROOT = sys.argv[1]
lock = threading.Lock()
used = {}  # by (key, index of the fault): how often
urls = {}


def load(name):
    try:
        with open(os.path.join(ROOT, name)) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def is_stale(request):
    try:
        with open(os.path.join(ROOT, "agent")) as file:
            return request.headers.get("User-Agent") != file.read()
    except FileNotFoundError:
        return False


def is_elsewhere(fault, request):
    """Whether the byte that is to be another one is none of those that are asked for."""
    match = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
    return "corrupt" in fault and match and not int(match[1]) <= fault["corrupt"] <= int(match[2])


def take_fault(key, wanted_at, request):
    if is_stale(request):
        return {}
    with lock:
        path = os.path.join(ROOT, "faults.json")
        written = os.stat(path).st_mtime_ns if os.path.exists(path) else 0
        if used.get("written") != written:  # other faults from now on
            used.clear()
            used["written"] = written
        for i, fault in enumerate(load("faults.json").get(key, [])):
            if fault.get("at", "hub" if "status" in fault else "any") not in (wanted_at, "any"):
                continue
            if is_elsewhere(fault, request):
                continue
            if used.get((key, i), 0) < fault.get("times", 1):
                used[key, i] = used.get((key, i), 0) + 1
                return fault
    return {}


class Revision:
    """The files of a folder, with the hashes that the Hub would tell."""

    def __init__(self, folder):
        self.files = {}
        for path, _, names in os.walk(folder):
            for name in names:
                full = os.path.join(path, name)
                with open(full, "rb") as file:
                    data = file.read()
                self.files[os.path.relpath(full, folder)] = data
        listing = json.dumps({name: self.sha1(name) for name in sorted(self.files)})
        self.commit = hashlib.sha1(listing.encode()).hexdigest()

    def is_large(self, name):
        return len(self.files[name]) >= 1000 or name.endswith((".safetensors", ".gguf"))

    def sha1(self, name):
        data = self.files[name]
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def sha256(self, name):
        return hashlib.sha256(self.files[name]).hexdigest()

    def etag(self, name):
        return self.sha256(name) if self.is_large(name) else self.sha1(name)

    def sibling(self, name):
        size = len(self.files[name])
        entry = {"rfilename": name, "size": size, "blobId": self.sha1(name)}
        if self.is_large(name):
            entry["lfs"] = {"sha256": self.sha256(name), "size": size, "pointerSize": 130}
        return entry


revisions = {}  # by folder and time of change


def find_revision(repo, wanted):
    """None where there is no such repository, False where it has no such revision."""
    folder = os.path.join(ROOT, "repos", repo)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo) or not os.path.isdir(folder):
        return None
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        with lock:
            if path not in revisions:
                revisions[path] = Revision(path)
        if wanted in (name, revisions[path].commit):
            return revisions[path]
    return False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    is_store = False

    def log_message(self, *_):
        pass

    def note_request(self):
        if is_stale(self):
            return
        entry = {"method": self.command, "path": self.path, "at": "store" if self.is_store else "hub",
                 "token": self.headers.get("Authorization"), "range": self.headers.get("Range"),
                 "agent": self.headers.get("User-Agent")}
        with lock, open(os.path.join(ROOT, "requests.log"), "a") as file:
            file.write(json.dumps(entry) + "\n")

    def head(self, status, fields, length=0):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def refuse(self, status, code="", message="", fields=None):
        self.head(status, {"X-Error-Code": code, "X-Error-Message": message, **(fields or {})})

    def end_now(self):
        self.close_connection = True
        self.wfile.flush()
        try:
            self.connection.shutdown(2)
        except OSError:
            pass

    def wait_for_go(self):
        for _ in range(6000):
            if os.path.exists(os.path.join(ROOT, "go")):
                return
            time.sleep(0.01)

    def send_body(self, data, fault):
        if self.command == "HEAD":
            return
        if "corrupt" in fault and fault["corrupt"] < len(data):
            at = fault["corrupt"]
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        for kind in ("cut", "stall", "pause"):
            if kind in fault and fault[kind] < len(data):
                self.wfile.write(data[:fault[kind]])
                self.wfile.flush()
                if kind != "cut":
                    self.wait_for_go()
                if kind == "pause":
                    return self.wfile.write(data[fault[kind]:])
                return self.end_now()
        if "rate" not in fault:
            return self.wfile.write(data)
        step = max(1, fault["rate"] // 50)
        for at in range(0, len(data), step):
            self.wfile.write(data[at:at + step])
            self.wfile.flush()
            time.sleep(step / fault["rate"])

    def send_file(self, data, fields, fault):
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        size = fault.get("size", len(data))
        if match and not fault.get("no_range"):
            begin = int(match[1])
            if begin >= len(data):
                return self.head(416, {"Content-Range": f"bytes */{size}"})
            end = min(int(match[2] or len(data) - 1), len(data) - 1)
            part = data[begin:end + 1]
            shift = fault.get("shift", 0)
            fields["Content-Range"] = f"bytes {begin + shift}-{end + shift}/{size}"
            if "corrupt" in fault:
                fault = {**fault, "corrupt": fault["corrupt"] - begin}
            status, length = 206, len(part)
        else:
            part, status, length = data, 200, size
        if "extra" in fault:
            part, length = part + b"x" * fault["extra"], None
        self.head(status, fields, length)
        self.send_body(part, fault)

    def allowed(self, repo):
        """Whether the request may see the repository; else it has its answer."""
        rule = load("access.json").get(repo, {})
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token == "hf_unknown":
            self.refuse(401, message="Invalid credentials in Authorization header")
        elif not rule or token == rule.get("token"):
            return True
        elif rule.get("gated"):
            self.refuse(403 if token else 401, "GatedRepo", f"Access to model {repo} is restricted.")
        else:
            self.refuse(404 if token else 401, "RepoNotFound", "Repository not found")
        return False

    def answer_api(self, repo, wanted):
        fault = take_fault("api", "hub", self)
        if "status" in fault:
            return self.refuse(fault["status"], fields=fault.get("headers"))
        if "body" in fault:
            text = fault["body"].encode()
            self.head(200, {"Content-Type": "application/json"}, len(text))
            return self.wfile.write(text)
        if not self.allowed(repo):
            return None
        revision = find_revision(repo, wanted)
        if revision is None:
            return self.refuse(404, "RepoNotFound", "Repository not found")
        if not revision:
            return self.refuse(404, "RevisionNotFound", f"Invalid rev id: {wanted}")
        siblings = [revision.sibling(name) for name in sorted(revision.files)]
        if fault.get("bare"):
            siblings = [{"rfilename": entry["rfilename"]} for entry in siblings]
        siblings += fault.get("files", [])
        text = json.dumps({"id": repo, "sha": revision.commit, "siblings": siblings}).encode()
        if "pad" in fault:
            text += b" " * fault["pad"]
        self.head(200, {"Content-Type": "application/json"}, len(text))
        return self.send_body(text, fault)

    def answer_file(self, repo, wanted, name):
        if not self.allowed(repo):
            return None
        revision = find_revision(repo, wanted)
        if not revision:
            return self.refuse(404, "RepoNotFound" if revision is None else "RevisionNotFound")
        if name not in revision.files:
            return self.refuse(404, "EntryNotFound", "Entry not found")
        is_head = self.command == "HEAD"
        fault = take_fault("head " + name if is_head else name, "hub", self)
        if "status" in fault:
            return self.refuse(fault["status"], fault.get("code", ""), fields=fault.get("headers"))
        if "redirect" in fault:
            return self.head(302, {"Location": fault["redirect"].replace("{file}", name)})
        etag = revision.etag(name)
        data = revision.files[name]
        fields = {"X-Repo-Commit": revision.commit, "ETag": f'"{etag}"'}
        if not revision.is_large(name):
            if is_head:
                return self.head(200, fields, len(data))
            return self.send_file(data, fields, fault)
        with lock:
            ticket = str(len(pending))
            pending[ticket] = fault
        fields.update({"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(data)),
                       "Location": f"{urls['store']}/{repo}/{revision.commit}/{urllib.parse.quote(name)}?ticket={ticket}"})
        return self.head(302, fields)

    def answer_store(self, repo, wanted, name):
        if self.headers.get("Authorization"):
            return self.refuse(400, message="Only one auth mechanism allowed")
        revision = find_revision(repo, wanted)
        with lock:
            ticket = urllib.parse.urlsplit(self.path).query.removeprefix("ticket=")
            fault, pending[ticket] = pending.get(ticket), {}
        fault = fault or take_fault(name, "store", self)
        if "status" in fault:
            return self.refuse(fault["status"], fault.get("code", ""), fields=fault.get("headers"))
        return self.send_file(revision.files[name], {}, fault)

    def do_GET(self):
        self.note_request()
        path = urllib.parse.urlsplit(self.path).path
        if self.is_store:
            match = re.fullmatch(r"/([^/]+/[^/]+)/([^/]+)/(.+)", path)
            return self.answer_store(match[1], match[2], urllib.parse.unquote(match[3]))
        match = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", path)
        if match:
            return self.answer_api(match[1], urllib.parse.unquote(match[2] or "main"))
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if match:
            return self.answer_file(match[1], urllib.parse.unquote(match[2]), urllib.parse.unquote(match[3]))
        return self.refuse(404)

    do_HEAD = do_GET


class Store(Handler):
    is_store = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass  # clients come and go


pending = {}  # faults that go with the first use of a redirect


def start(handler):
    server = Server(("127.0.0.1", 0), handler)
    scheme = "http"
    if len(sys.argv) > 2:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*sys.argv[2:4])
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    name = "localhost" if scheme == "https" else "127.0.0.1"
    return f"{scheme}://{name}:{server.server_address[1]}"


urls["store"] = start(Store)
urls["hub"] = start(Handler)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print(f"store {urls['store']}\nlistening on {urls['hub']}", file=sys.stderr, flush=True)
while True:
    signal.pause()
