"""One TLS server for the tests: serves what it is told to on a port of its own choice, which it prints."""

import json
import socket
import ssl
import sys

certificate, key, behaviour = sys.argv[1:]

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
if behaviour == "tls1.1":
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
elif behaviour == "tls1.2":
    context.maximum_version = ssl.TLSVersion.TLSv1_2
elif behaviour == "tls1.3":
    context.minimum_version = ssl.TLSVersion.TLSv1_3

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)


def serve(stream):
    request = b""
    while b"\r\n\r\n" not in request:
        request += stream.recv(65536)
    head, body = request.split(b"\r\n\r\n", 1)
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields[b"content-length"]):
        body += stream.recv(65536)
    uid = json.loads(body)["request"]["uid"]
    answer = json.dumps({
        "apiVersion": "nono.approval/v1",
        "kind": "ApprovalResponse",
        "response": {"uid": uid, "decision": "allow"},
    }).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    if behaviour == "no-length":
        stream.sendall(head + b"\r\n" + answer)
    elif behaviour == "cut":
        stream.sendall(head + b"Content-Length: %d\r\n\r\n" % len(answer) + answer[:-5])
    else:
        stream.sendall(head + b"Content-Length: %d\r\n\r\n" % len(answer) + answer)
    if behaviour in ("polite", "tls1.2", "tls1.3"):
        stream.unwrap()


while True:
    connection, _ = listener.accept()
    try:
        serve(context.wrap_socket(connection, server_side=True))
    except (OSError, ValueError, KeyError):
        pass
    finally:
        # Without close_notify, unless the answer was polite.
        connection.close()
