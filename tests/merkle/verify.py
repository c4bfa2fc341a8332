"""Verifies a proof of the form c2sp.org/tlog-proof with the standard library alone: verify.py PROOF LEAF VKEY.

Ed25519 is RFC 8032, section 5.1.7, as its sample code has it, and the tree RFC 9162, section 2.1.3.2.
"""
import base64
import hashlib
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def x_of(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or y >= P or (x == 0 and sign):
        raise ValueError("no point")
    return P - x if x & 1 != sign else x


def point(encoded):
    number = int.from_bytes(encoded, "little")
    y, sign = number & (2**255 - 1), number >> 255
    x = x_of(y, sign)
    return (x, y, 1, x * y % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number, p):
    q = (0, 1, 1, 0)
    while number:
        q = add(q, p) if number & 1 else q
        p, number = add(p, p), number >> 1
    return q


def signed(key, message, signature):
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    y = 4 * pow(5, P - 2, P) % P
    left = times(s, point(y.to_bytes(32, "little")))
    right = add(point(signature[:32]), times(h, point(key)))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def root_of(index, size, leaf, path):
    node, last, value = index, size - 1, leaf
    for sibling in path:
        assert last, "the path is too long"
        if node & 1 or node == last:
            value = hashlib.sha256(b"\1" + sibling + value).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            value = hashlib.sha256(b"\1" + value + sibling).digest()
        node, last = node >> 1, last >> 1
    assert last == 0, "the path is too short"
    return value


def main(proof, leaf, vkey):
    name, _, rest = vkey.partition("+")
    key_id, _, key = rest.partition("+")
    key = base64.b64decode(key, validate=True)
    assert hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() == key_id and key[0] == 1, "the key"
    head, note = open(proof, encoding="utf-8", newline="").read().split("\n\n", 1)
    lines = head.split("\n")
    assert lines.pop(0) == "c2sp.org/tlog-proof@v1", "the header"
    if lines[0].startswith("extra "):
        lines.pop(0)
    index = int(lines.pop(0).removeprefix("index "))
    path = [base64.b64decode(line, validate=True) for line in lines]
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    origin, size, root = text.split("\n")[:3]
    assert origin == name, "the origin"
    good = False
    for line in signatures.removesuffix("\n").split("\n"):
        dash, signer, encoded = line.split(" ")
        blob = base64.b64decode(encoded, validate=True)
        if dash == "\u2014" and signer == name and blob[:4].hex() == key_id:
            good = signed(key[1:], text.encode(), blob[4:])
    assert good, "the signature"
    with open(leaf, "rb") as content:
        value = hashlib.sha256(b"\0" + content.read()).digest()
    assert index < int(size) and root_of(index, int(size), value, path) == base64.b64decode(root), "the path"
    print(f"{index} of {size}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (AssertionError, ValueError) as error:
        sys.exit(f"not verified: {error}")
