"""A name server whose answers are wrong. The first label of a name says how; `api.example.com` gets a right one.

usage: hostile.py ADDRESS [ADDRESS...]
The first ADDRESS is the server's own, the others are what its answers lead to: a host, and one that nothing may lead to.
"""
import itertools
import os
import socket
import struct
import sys
import threading
import time

own, host, forbidden = sys.argv[1:4]


def parsed(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return labels, struct.unpack(">H", message[at + 1:at + 3])[0], message[12:at + 5]


def written(labels):
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def record(name, kind, data, seconds=60):
    return name + struct.pack(">HHIH", kind, 1, seconds, len(data)) + data


def reply(message, records, flags=0x8180, count=None, question=None, number=None):
    header = message[:2] if number is None else struct.pack(">H", number & 0xffff)
    question = parsed(message)[2] if question is None else question
    return header + struct.pack(">5H", flags, 1, len(records) if count is None else count, 0, 0) + question + b"".join(records)


def right(message, address=None):
    _, kind, _ = parsed(message)
    return reply(message, [record(b"\xc0\x0c", 1, socket.inet_aton(address or host))] if kind == 1 else [])


def chain(message, length, end):
    names = [b"\xc0\x0c"] + [written([f"alias{n}", "example", "com"]) for n in range(length)]
    records = [record(names[n], 5, names[n + 1]) for n in range(length)]
    return reply(message, records + ([record(names[length], 1, socket.inet_aton(end))] if parsed(message)[1] == 1 else []))


def answers(how, message):
    """The datagrams that answer a query, one after the other."""
    number = struct.unpack(">H", message[:2])[0]
    if how == "numbers":
        yield from (reply(message, [record(b"\xc0\x0c", 1, socket.inet_aton(forbidden))], number=number + n) for n in range(1, 500))
    elif how == "question":
        yield reply(message, [record(b"\xc0\x0c", 1, socket.inet_aton(forbidden))],
                    question=written(["other", "example", "com"]) + b"\0\1\0\1")
    elif how == "loop":
        yield reply(message, [], count=2) + b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x2a" * 2
        yield reply(message, [], count=1) + struct.pack(">H", 0xc000 | len(message))
    elif how == "forward":
        yield reply(message, [], count=1) + b"\xc3\xff\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(forbidden)
    elif how == "counts":
        yield reply(message, [], count=65535)
    elif how == "short":
        yield from (right(message, forbidden)[:n] for n in range(0, len(right(message)), 3))
    elif how == "noise":
        yield from (message[:2] + os.urandom(n) for n in range(0, 600, 7))
    elif how == "query":
        yield message
    elif how == "several":
        yield reply(message, [record(b"\xc0\x0c", 1, socket.inet_aton(forbidden) + socket.inet_aton(host)),
                              record(b"\xc0\x0c", 1, socket.inet_aton(forbidden)[:3]), record(b"\xc0\x0c", 1, b"")])
    elif how == "class":
        yield reply(message, [b"\xc0\x0c" + struct.pack(">HHIH", 1, 3, 60, 4) + socket.inet_aton(forbidden)])
    elif how == "owner":
        yield reply(message, [record(written(["unasked", "example", "com"]), 1, socket.inet_aton(host))])
    elif how == "long":
        yield chain(message, 40, host)
    elif how == "aliases":
        yield chain(message, 6, host)
    elif how == "inward":
        yield chain(message, 2, forbidden)
    elif how == "later":
        # A right answer behind as many wrong ones as a socket holds.
        yield from itertools.islice(answers("numbers", message), 50)
        yield from itertools.islice(answers("noise", message), 50)
        yield right(message)
    elif how == "endless":
        end = time.monotonic() + 8
        while time.monotonic() < end:
            yield os.urandom(40)
            time.sleep(0.01)
    elif how in ("huge", "hung", "cut", "lies"):
        yield reply(message, [], flags=0x8380)
    elif how == "failed":
        yield reply(message, [], flags=0x8182)
    elif how != "silent":
        yield right(message)


def on_stream(stream):
    stream.settimeout(20)
    length = struct.unpack(">H", stream.recv(2, socket.MSG_WAITALL))[0]
    message = stream.recv(length, socket.MSG_WAITALL)
    labels, kind, _ = parsed(message)
    if labels[0] == "huge":
        # As much as a stream can say, of addresses that are all right but the last.
        records = [record(b"\xc0\x0c", 1, socket.inet_aton(host))] * 4000 if kind == 1 else []
        whole = reply(message, records)
        stream.sendall(struct.pack(">H", len(whole)) + whole)
    elif labels[0] == "cut":
        stream.sendall(b"\xff\xff" + right(message))
    elif labels[0] == "lies":
        stream.sendall(struct.pack(">H", 0) + right(message, forbidden))
    else:
        time.sleep(15)
    stream.close()


def streams(server):
    while True:
        threading.Thread(target=on_stream, args=(server.accept()[0],), daemon=True).start()


def datagrams(server):
    while True:
        message, sender = server.recvfrom(4096)

        def send():
            for answer in answers(parsed(message)[0][0], message):
                server.sendto(answer, sender)
        threading.Thread(target=send, daemon=True).start()


udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((own, 53))
threading.Thread(target=datagrams, args=(udp,), daemon=True).start()
threading.Thread(target=streams, args=(socket.create_server((own, 53)),), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
