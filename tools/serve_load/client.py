"""Streaming clients that cost little: bytes and their times are kept as they come, and read afterwards."""
import asyncio
import bisect
import itertools
import json
import time

END = b"data: [DONE]\n\n\r\n0\r\n\r\n"


def request_bytes(body, path="/v1/completions"):
    text = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(text)}\r\n\r\n"
    return head.encode() + text


class Reader(asyncio.Protocol):
    """One request on one connection. `done` is set when the server has closed it."""

    def __init__(self, request):
        self.request = request
        self.pieces = []
        self.times = []  # of the pieces, time.monotonic()
        self.sent = 0.0
        self.done = asyncio.get_running_loop().create_future()
        self.transport = None
        self.refusal = None  # why there was no connection

    def connection_made(self, transport):
        self.transport = transport
        self.sent = time.monotonic()
        transport.write(self.request)

    def data_received(self, data):
        self.times.append(time.monotonic())
        self.pieces.append(data)

    def connection_lost(self, error):
        if not self.done.done():
            self.done.set_result(error)


class Answer:
    """What a Reader has read, to its end. Fields: status, text (of choice 0), finish_reason, usage, error (an error event's
    message), is_whole ([DONE] and the end of the body came), and deliveries: the times at which bytes with text
    came, ascending."""

    def __init__(self, reader):
        data = b"".join(reader.pieces)
        ends = list(itertools.accumulate(map(len, reader.pieces)))
        head, _, body = data.partition(b"\r\n\r\n")
        words = head.split(b" ", 2)
        self.status = int(words[1]) if len(words) > 1 else 0
        self.text, self.finish_reason, self.usage, self.error = "", None, None, None
        self.deliveries = []
        self.is_whole = self.status == 200 and data.endswith(END)
        if self.status != 200:
            self.error = reader.refusal or body.decode(errors="replace") or "no answer"
            return
        for begin, size, event in _events(len(head) + 4, body):
            if event == b"[DONE]":
                break
            said = json.loads(event)
            if "error" in said:
                self.error = said["error"]["message"]
            self.usage = said.get("usage") or self.usage
            for choice in said.get("choices", []):
                self.text += choice["text"]
                self.finish_reason = choice["finish_reason"] or self.finish_reason
                if choice["text"]:
                    piece = bisect.bisect_left(ends, begin + size)
                    self.deliveries.append(reader.times[piece])
        # Events that came in one piece are one delivery.
        self.deliveries = sorted(set(self.deliveries))

    def gaps(self):
        """(begin, end) of each wait between two deliveries."""
        return list(zip(self.deliveries, self.deliveries[1:]))


def _events(offset, body):
    """(offset, size, data) of each whole event of a chunked body, the offset that of its chunk in the answer."""
    at = 0
    while True:
        line_end = body.find(b"\r\n", at)
        if line_end < 0:
            return
        size = int(body[at:line_end], 16)
        begin = line_end + 2
        if size == 0 or begin + size > len(body):
            return
        for event in body[begin:begin + size].split(b"\n\n"):
            if event:
                if not event.startswith(b"data: "):
                    raise ValueError(f"no event: {event!r}")
                yield offset + begin, size, event[6:]
        at = begin + size + 2


async def fetch(port, body):
    """One request from its connection to its end, as a Reader. What it read is not looked at, since that would
    delay the clocks of the clients beside it. Never fails: a Reader without a connection has read nothing."""
    loop = asyncio.get_running_loop()
    reader = Reader(request_bytes(body))
    try:
        await loop.create_connection(lambda: reader, "127.0.0.1", port)
    except OSError as error:
        reader.refusal = str(error)
        return reader
    await reader.done
    return reader


async def ask(port, body):
    """The same, looked at."""
    return Answer(await fetch(port, body))
