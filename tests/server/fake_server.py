"""A server with the wire of OpenAI's API and no model, whose delays and faults are known exactly.

Usage: fake_server.py [CERTIFICATE KEY]. Prints "listening on http://127.0.0.1:PORT" (https with a certificate)
on stderr and serves until SIGTERM.

A request says in its model's name how it wants to be treated, as words KEY=VALUE:
  ttft=MS, itl=MS     time to the first token, between two tokens (0)
  chunk=N             tokens per chunk (1)
  fail=KIND, every=N  one of FAULTS for every N-th request (1: all of them)
  refuse=FIELD,...    400 where the request has the field
  gather=N            answers begin when N requests with that word are there
  usage=no            no usage, asked for or not
  close=yes           the connection is closed after a response that said nothing of it
A prompt counts 2 tokens per word and 7 more; of ids one each. GET /v1/seen tells the requests' bodies
and how many were answered at once at most.
"""
import asyncio
import json
import signal
import ssl
import sys

FAULTS = ("429", "500", "cut", "stall", "error", "malformed", "endless", "silent")
seen = {"bodies": [], "running": 0, "peak": 0}


class Gathering:
    """Holds requests until n are there."""

    def __init__(self, n):
        self.n_missing = n
        self.is_complete = asyncio.Event()

    async def join(self):
        self.n_missing -= 1
        if self.n_missing <= 0:
            self.is_complete.set()
        await self.is_complete.wait()


gatherings = {}  # by the word in the model's name


def prompt_tokens(body):
    prompt = body.get("prompt")
    if isinstance(prompt, list):
        return len(prompt)
    if prompt is None:
        prompt = " ".join(message["content"] for message in body["messages"])
    return 2 * len(prompt.split()) + 7


class Response:
    def __init__(self, writer):
        self.writer = writer

    def head(self, status, kind, length=None):
        size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        self.writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{size}\r\n\r\n".encode())

    def json(self, status, value):
        text = json.dumps(value).encode()
        self.head(status, "application/json", len(text))
        self.writer.write(text)

    def event(self, data):
        text = data if isinstance(data, str) else json.dumps(data)
        piece = f"data: {text}\n\n".encode()
        self.writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    def end(self):
        self.writer.write(b"0\r\n\r\n")


async def complete(body, is_chat, response):
    """False where the connection is to be closed at once."""
    manner = dict(word.split("=") for word in body["model"].split())
    for field in manner.get("refuse", "").split(","):
        if field in body:
            response.json(400, {"error": {"message": f"unknown field {field}"}})
            return True
    number = len(seen["bodies"])
    fault = manner.get("fail") if number % int(manner.get("every", 1)) == 0 else None
    assert fault is None or fault in FAULTS
    if fault in ("429", "500"):
        response.json(int(fault), {"error": {"message": "no room", "type": "busy"}})
        return True
    if fault == "silent":
        return False
    if "gather" in manner:
        gathering = gatherings.setdefault(manner["gather"], Gathering(int(manner["gather"])))
        await gathering.join()
    response.head(200, "text/event-stream")
    now = asyncio.get_running_loop().time
    due = now() + float(manner.get("ttft", 0)) / 1e3
    n_tokens = body["max_tokens"]
    step = int(manner.get("chunk", 1))
    if is_chat:
        response.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
    for i in range(0, n_tokens, step):
        await asyncio.sleep(max(0.0, due - now()))
        due += float(manner.get("itl", 0)) / 1e3
        part = {"delta": {"content": " word"}} if is_chat else {"text": " word"}
        response.event({"choices": [{"index": 0, **part}]})
        await response.writer.drain()
        if fault is not None and i >= n_tokens // 2:
            if fault == "stall":
                await asyncio.sleep(3600)
            if fault == "cut":
                return False
            if fault == "endless":
                for _ in range(40):
                    response.writer.write(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
                    await response.writer.drain()
                response.end()
                return True
            response.event({"error": {"message": "lost"}} if fault == "error" else "{not json")
            response.end()
            return True
    usage = {"prompt_tokens": prompt_tokens(body), "completion_tokens": n_tokens}
    if body.get("stream_options", {}).get("include_usage") and manner.get("usage") != "no":
        response.event({"choices": [], "usage": usage})
    response.event("[DONE]")
    response.end()
    return manner.get("close") != "yes"


async def answer(method, path, body, response):
    if (method, path) == ("GET", "/v1/models"):
        response.json(200, {"data": [{"id": "ttft=1"}, {"id": "other"}]})
    elif (method, path) == ("GET", "/v1/seen"):
        response.json(200, seen)
    elif method == "POST" and path in ("/v1/completions", "/v1/chat/completions"):
        seen["bodies"].append(body)
        seen["running"] += 1
        seen["peak"] = max(seen["peak"], seen["running"])
        try:
            return await complete(body, path.startswith("/v1/chat"), response)
        finally:
            seen["running"] -= 1
    else:
        response.json(404, {"error": {"message": f"no route {method} {path}"}})
    return True


async def serve_connection(reader, writer):
    try:
        stays = True
        while stays:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split()
            fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            text = await reader.readexactly(int(fields.get("content-length", 0)))
            stays = await answer(method, path, json.loads(text or "null"), Response(writer))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    tls = None
    if len(sys.argv) > 1:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*sys.argv[1:])
    server = await asyncio.start_server(serve_connection, "127.0.0.1", 0, backlog=4096, ssl=tls)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sys.exit, 0)
    port = server.sockets[0].getsockname()[1]
    print(f"fake server\nlistening on http{'s' if tls else ''}://127.0.0.1:{port}", file=sys.stderr, flush=True)
    await server.serve_forever()


asyncio.run(main())
