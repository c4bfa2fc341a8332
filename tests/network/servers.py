"""Web servers for the tests, in a network of their own, and perhaps a name server. Prints one line when it is ready.

usage: servers.py DIRECTORY [NAME_SERVER]
DIRECTORY/zone      lines of a name and its addresses; read anew for each query. `!N` in the place of an address cuts the
                    answer to datagrams, `?` leaves a query unanswered, a list after `|` is the answer to the second query on
DIRECTORY/queries   gets a line for each query: the name and the type's number
DIRECTORY/answers   lines of a host and a scope: the approver says yes to these
DIRECTORY/datagrams gets a line for each datagram to port 7 or 123: the address it was sent to
DIRECTORY/questions gets a line for each question to the approver: host, port, protocol, addresses
DIRECTORY/requests  gets a line for each request: the address and port it came to, the host it names, and its path
DIRECTORY/repositories  what `git http-backend` serves at /git/; /elsewhere/ leads to other.example.org, and
                    /dns-query answers names as the name server does
"""
import http.server
import json
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading

directory, *name_servers = sys.argv[1:]
asked = {}


def note(file, line):
    with open(f"{directory}/{file}", "a") as log:
        log.write(line + "\n")


def answer(message, stream):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]])
        at += 1 + message[at]
    name = b".".join(labels).decode("latin1").lower()
    kind = struct.unpack(">H", message[at + 1:at + 3])[0]
    question = message[12:at + 5]
    note("queries", f"{name} {kind}")
    zone = {}
    with open(f"{directory}/zone") as lines:
        for line in lines:
            words = line.split()
            if words:
                zone[words[0]] = words[1:]
    code, records = (3, []) if name not in zone else (0, zone[name])
    if "|" in records:
        # Both types are asked for at once.
        asked[name, kind] = asked.get((name, kind), 0) + 1
        split = records.index("|")
        records = records[:split] if asked[name, kind] == 1 else records[split + 1:]
    if "?" in records:
        return None
    flags = 0x8180 | code
    if "!" in records and not stream:
        flags |= 0x0200
        records = []
    body, count = b"", 0
    for address in records:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if address != "!" and (kind, family) in ((1, socket.AF_INET), (28, socket.AF_INET6)):
            data = socket.inet_pton(family, address)
            body += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(data)) + data
            count += 1
    return message[:2] + struct.pack(">5H", flags, 1, count, 0, 0) + question + body


def datagrams(server):
    while True:
        message, sender = server.recvfrom(4096)
        reply = answer(message, False)
        if reply:
            server.sendto(reply, sender)


def streams(server):
    while True:
        stream, _ = server.accept()
        length = struct.unpack(">H", stream.recv(2, socket.MSG_WAITALL))[0]
        reply = answer(stream.recv(length, socket.MSG_WAITALL), True)
        stream.sendall(struct.pack(">H", len(reply)) + reply)
        stream.close()


def echoes(server):
    while True:
        message, control, _, sender = server.recvmsg(65536, 512)
        note("datagrams", socket.inet_ntop(socket.AF_INET6, control[0][2][:16]))
        # From the address that it was sent to.
        server.sendmsg([b"echo " + message], control, 0, sender)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        address, port = self.connection.getsockname()[:2]
        note("requests", f"{address} {port} {self.headers.get('Host')} {self.path.split('?')[0]}")
        if self.path.startswith("/git/"):
            return self.git()
        if self.path.startswith("/elsewhere/"):
            self.send_response(302)
            self.send_header("Location", "https://other.example.org/" + self.path.split("/", 2)[2])
            self.send_header("Content-Length", "0")
            return self.end_headers()
        body = b"hello\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def git(self):
        path, _, query = self.path.removeprefix("/git").partition("?")
        environment = {
            "PATH": "/usr/bin:/bin", "GIT_PROJECT_ROOT": f"{directory}/repositories", "GIT_HTTP_EXPORT_ALL": "1",
            "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "REMOTE_USER": "a", "REMOTE_ADDR": "192.0.2.1",
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        body = self.chunks() if "Transfer-Encoding" in self.headers else self.rfile.read(int(self.headers.get("Content-Length", 0)))
        environment["CONTENT_LENGTH"] = str(len(body))
        done = subprocess.run(["git", "http-backend"], input=body, stdout=subprocess.PIPE, env=environment)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in {**fields, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def name_server(self):
        # RFC 8484.
        reply = answer(self.rfile.read(int(self.headers["Content-Length"])), True)
        self.send_response(200)
        self.send_header("Content-Type", "application/dns-message")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_POST(self):
        if self.path.startswith("/git/"):
            return self.git()
        if self.path == "/dns-query":
            return self.name_server()
        # An approver: yes to the hosts in the file `answers`, each with a scope; no to others.
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        network = body["request"]["network"]
        if network:
            note("questions", "{host} {port} {protocol} ".format(**network) + " ".join(network["addresses"]))
        else:
            note("questions", body["request"]["operation"])
        answers = dict(line.split() for line in open(f"{directory}/answers"))
        scope = network and answers.get(network["host"])
        answer = {"uid": body["request"]["uid"], "decision": "allow" if scope else "deny", "scope": scope or "once"}
        reply = json.dumps({"apiVersion": "nono.approval/v1", "kind": "ApprovalResponse", "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    # Who left in the middle had a right to.
    handle_error = lambda *_: None
    request_queue_size = 1024

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # Not the one of http.server, which asks for the machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


def start(work, *arguments):
    threading.Thread(target=work, args=arguments, daemon=True).start()


for name_server in name_servers:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((name_server, 53))
    start(datagrams, udp)
    start(streams, socket.create_server((name_server, 53)))
for port in (7, 123):
    echo = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    echo.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    echo.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    echo.bind(("::", port))
    start(echoes, echo)
for port in (80, 8080):
    start(Server(("::", port), Handler).serve_forever)
secure = Server(("::", 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{directory}/certificate.pem", f"{directory}/certificate-key.pem")
secure.socket = context.wrap_socket(secure.socket, server_side=True)
start(secure.serve_forever)
print("ready", flush=True)
threading.Event().wait()
