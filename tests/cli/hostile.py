#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks what was printed although the words in it were hostile, and makes such words.

usage: hostile.py json FILE      every line, or all of it, is JSON as RFC 8259 has it, in UTF-8, with nothing
                                 in it that a terminal would act on
       hostile.py text FILE      nothing in it that a terminal would act on
       hostile.py image OLD NEW  OLD, an image that is not sealed, with a journal and blobs made to hurt
"""
import json
import struct
import sys
import unicodedata
import zlib

EVIL = [b"plain", b"\x1b[31m", b"\xc2\x9b31m", b"\xe2\x80\xae", b"\xe2\x81\xa6", b"\xd8\x9c", b"\xe2\x80\x8b",
        b"\xe2\x80\xa8", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x7f"]


def refuse_constant(name):
    raise ValueError("a constant that JSON has not: " + name)


def check_text(data):
    """Every byte is UTF-8, and every character is one to look at."""
    for i, c in enumerate(data.decode("utf-8", "strict")):
        if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            raise ValueError("U+%04X is character %d" % (ord(c), i))


def check_json(data):
    check_text(data)
    if not data.strip():
        raise ValueError("nothing was printed")
    try:
        documents = [json.loads(data, parse_constant=refuse_constant)]
    except ValueError:
        documents = [json.loads(line, parse_constant=refuse_constant) for line in data.splitlines()]
    # A text with half of a surrogate pair is none, whatever json.loads says.
    json.dumps(documents, ensure_ascii=False).encode("utf-8", "strict")


def record(uuid, offset, kind, payload):
    head = b"UMSR" + kind + struct.pack("<QQ", offset, len(payload)) + uuid
    head += struct.pack("<I", zlib.crc32(payload)) + bytes(16)
    head += struct.pack("<I", zlib.crc32(head))
    return head + payload + bytes(-len(payload) % 16)


def journal_lines():
    for evil in EVIL:
        yield b'{"event":"' + evil + b'","time":"' + evil + b'","text":"' + evil + b'"}'
        yield b'{"event":"note","key":"' + evil + b'","text":"' + evil + b'"}'
        yield evil
    yield b'{"event":NaN,"text":Infinity,"x":-Infinity}'
    yield b'{"event":"note","key":null,"text":null}'
    yield b'{"event":"note"}'
    yield b'{"event":null}'
    yield b'[1,2'
    yield b'"text"'
    yield b'null'
    yield b'[1.,01,1e999,.5]'
    yield b"{'event':'\n'}"


def hostile_image(data):
    uuid = data[24:40]
    data += bytes(-len(data) % 16)
    for line in journal_lines():
        data += record(uuid, len(data), b"JRNL", line)
    for i, evil in enumerate(EVIL):
        name = b"blob-%d" % i + evil
        data += record(uuid, len(data), b"BLOB", struct.pack("<H6x", len(name)) + name + evil)
    evil = b"\n".join(b"key" + e + b"=value" + e for e in EVIL) + b"\nunit-serial=a\\x5cb\nproduct=" + b" ".join(EVIL) + b"\n"
    data += record(uuid, len(data), b"BLOB", struct.pack("<H6x", 8) + b"identity" + evil)
    return data


def main(what, path, new=None):
    with open(path, "rb") as f:
        data = f.read()
    if what == "image":
        with open(new, "wb") as f:
            f.write(hostile_image(data))
        return
    try:
        check_json(data) if what == "json" else check_text(data)
    except ValueError as e:
        sys.exit("%s: %s\n%r" % (path, e, data[:2000]))


main(*sys.argv[1:])
