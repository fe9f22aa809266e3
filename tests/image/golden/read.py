#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads an image by proto/IMAGE.md alone: nothing here was taken from src/image.

usage: read.py IMAGE RAW MAP    writes the plain bytes and the block map ("LBA N STATE" lines), and says
                                what it found; fails when anything is not as the specification says.
"""
import hashlib
import struct
import sys
import zlib


class Wrong(Exception):
    pass


def must(condition, what):
    if not condition:
        raise Wrong(what)


class Image:
    def __init__(self, data):
        self.data = data
        self.uuid = data[24:40]
        self.records = {}
        self.walk()
        self.head()

    # --- records ---

    def record(self, offset):
        """(type, payload) of the record at OFFSET, or None when there is none that counts."""
        head = self.data[offset:offset + 64]
        if len(head) < 64 or head[:4] != b"UMSR":
            return None
        own, length = struct.unpack_from("<QQ", head, 8)
        crc, = struct.unpack_from("<I", head, 60)
        if own != offset or head[24:40] != self.uuid or zlib.crc32(head[:60]) != crc:
            return None
        payload = self.data[offset + 64:offset + 64 + length]
        if len(payload) != length or zlib.crc32(payload) != struct.unpack_from("<I", head, 40)[0]:
            return None
        must(not any(head[44:60]), "reserved bytes of a head at %d" % offset)
        return head[4:8], payload

    def walk(self):
        """Every record of the file, skipping what is none."""
        at = 0
        while at + 64 <= len(self.data):
            found = self.record(at)
            if not found:
                at += 16
                continue
            self.records[at] = found
            at += (64 + len(found[1]) + 15) // 16 * 16

    def of(self, offset, kind):
        must(offset in self.records and self.records[offset][0] == kind,
             "no %s record at %d" % (kind.decode(), offset))
        return self.records[offset][1]

    def head(self):
        p = self.of(0, b"HEAD")
        major, _, incompatible, _, self.block, self.n, self.size, self.unit, self.run, _ = \
            struct.unpack_from("<HHIIIQQIIQ", p)
        must(major == 1 and incompatible == 0, "version or features")
        must(512 <= self.block <= 65536 and self.n >= 1, "geometry")
        must(0 <= self.n * self.block - self.size < self.block, "size in bytes")
        must(4096 <= self.unit <= self.run <= 64 << 20 and self.run % self.block == 0, "units, runs")

    # --- what is said about sectors ---

    def map_entries(self, p, count):
        for i in range(count):
            yield struct.unpack_from("<QQB", p, 24 * i)

    def set_states(self, entries):
        for lba, n, state in entries:
            must(lba + n <= self.n and state <= 5, "a map entry")
            self.states[lba:lba + n] = bytes([state]) * n

    def read_data(self, offset):
        """(LBA, plain bytes, state) of a DATA record, by its units one by one."""
        p = self.of(offset, b"DATA")
        lba, n, encoding, state, _, crc, n_units, body, body_bytes = struct.unpack_from("<QIBBHIIII", p)
        per_slot = self.run // self.block
        must(n >= 1 and lba // per_slot == (lba + n - 1) // per_slot, "sectors of one slot")
        must(body == 32 + 8 * n_units and body + body_bytes == len(p), "body of DATA")
        stored, length = p[body:], n * self.block
        if encoding == 2:
            must(n_units == 0 and not stored, "zeros that are stored")
            plain = bytes(length)
        else:
            must(n_units == -(-length // self.unit), "number of units")
            plain = b"".join(self.read_unit(p, i, n_units, stored, encoding, length)
                             for i in range(n_units))
            if encoding == 1:
                must(zlib.decompress(stored) == plain, "the stream as a whole")
        must(zlib.crc32(plain) == crc, "CRC of plain bytes at LBA %d" % lba)
        return lba, plain, state

    def read_unit(self, p, i, n_units, stored, encoding, length):
        begin, crc = struct.unpack_from("<II", p, 32 + 8 * i)
        end = struct.unpack_from("<I", p, 32 + 8 * (i + 1))[0] if i + 1 < n_units else len(stored)
        want = min(self.unit, length - i * self.unit)
        if encoding == 0:
            plain = stored[begin:begin + want]
        else:
            must(encoding == 1, "encoding %d" % encoding)
            plain = zlib.decompressobj(-15).decompress(stored[begin:end], want)
        must(len(plain) == want and zlib.crc32(plain) == crc, "unit %d" % i)
        return plain

    # --- opening ---

    def find_seal(self):
        tail = self.data[-512:]
        if tail[:4] == b"koly":
            return struct.unpack_from(">Q", tail, 216)[0] - 512
        return len(self.data) - 512

    def open(self):
        self.states = bytearray(self.n)
        self.refs = []
        self.index = []
        at = self.find_seal()
        self.sealed = at in self.records and self.records[at][0] == b"SEAL"
        if self.sealed:
            self.open_sealed(at)
        else:
            self.open_checkpoints()

    def take_refs(self, p, count):
        for i in range(count):
            offset, kind = struct.unpack_from("<Q4s", p, 16 * i)
            self.refs.append((kind, self.of(offset, kind)))

    def take_index(self, p, count):
        for i in range(count):
            lba, offset, n, length, crc, encoding = struct.unpack_from("<QQIIIB", p, 32 * i)
            d = self.of(offset, b"DATA")
            must(struct.unpack_from("<QIB", d) == (lba, n, encoding) and len(d) == length and
                 struct.unpack_from("<I", d, 16)[0] == crc, "an index entry is not its record's")
            self.index.append(offset)

    def open_sealed(self, at):
        s = self.of(at, b"SEAL")
        must(64 + len(s) == 512, "length of the seal")
        self.generation, flags, root, maps, _, _, crc, self.hashes = struct.unpack_from("<IIQQQQII", s)
        must(zlib.crc32(self.data[:at]) == crc, "CRC of the file before the seal")
        must((flags & 1) == (self.data[-512:-508] == b"koly"), "flag of the trailer")
        self.sha256, self.md5, self.sha1 = s[48:80], s[80:96], s[96:116]
        p = self.of(root, b"ROOT")
        n_pages, n_refs = struct.unpack_from("<II", p)
        for i in range(n_pages):
            first, offset, n = struct.unpack_from("<QQI", p, 16 + 24 * i)
            page = self.of(offset, b"INDX")
            must(len(page) == 32 * n and struct.unpack_from("<Q", page)[0] == first, "a page")
            self.take_index(page, n)
        self.take_refs(p[16 + 24 * n_pages:], n_refs)
        m = self.of(maps, b"MAPS")
        self.set_states(self.map_entries(m, len(m) // 24))
        counts = struct.unpack_from("<6Q", s, 120)
        must(counts == tuple(self.states.count(i) for i in range(6)), "counts of states")

    def chain(self):
        """Offsets of all checkpoints in order; None when one is damaged."""
        at = max((at for at, (kind, _) in self.records.items() if kind == b"CKPT"), default=0)
        chain = []
        while at:
            if at not in self.records or self.records[at][0] != b"CKPT":
                return None
            chain.insert(0, at)
            previous = struct.unpack_from("<Q", self.records[at][1])[0]
            must(previous < at, "a chain of checkpoints")
            at = previous
        return chain

    def take_checkpoint(self, at, alone):
        """ALONE: nothing but its map entries; the records were taken by themselves."""
        p = self.of(at, b"CKPT")
        crc, n_map, n_index, n_refs = struct.unpack_from("<IIII", p, 20)
        must(len(p) == 64 + 24 * n_map + 32 * n_index + 16 * n_refs, "length of a checkpoint")
        self.set_states(self.map_entries(p[64:], n_map))
        if alone:
            return
        must(zlib.crc32(self.data[:at]) == crc, "CRC of the file before a checkpoint")
        self.take_index(p[64 + 24 * n_map:], n_index)
        self.take_refs(p[64 + 24 * n_map + 32 * n_index:], n_refs)

    def open_checkpoints(self):
        self.generation = 0
        chain = self.chain()
        for at in chain or []:
            self.take_checkpoint(at, False)
            self.generation = struct.unpack_from("<I", self.records[at][1], 56)[0]
        for at in sorted(at for at in self.records if not chain or at > chain[-1]):
            kind, payload = self.records[at]
            if kind == b"DATA":
                self.index.append(at)
                lba, plain, state = self.read_data(at)
                if state in (4, 5):
                    self.set_states([(lba, len(plain) // self.block, state)])
            elif kind in (b"BLOB", b"JRNL"):
                self.refs.append((kind, payload))
            elif kind == b"SEAL":
                self.generation = struct.unpack_from("<I", payload)[0]
            elif kind == b"CKPT":
                self.take_checkpoint(at, True)

    def plain(self):
        out = bytearray(self.n * self.block)
        for offset in sorted(self.index):
            lba, plain, _ = self.read_data(offset)
            out[lba * self.block:lba * self.block + len(plain)] = plain
        return bytes(out[:self.size])


def check_digests(image, raw):
    for bit, name, value in ((1, "sha256", image.sha256), (2, "md5", image.md5), (4, "sha1", image.sha1)):
        if image.hashes & bit:
            must(hashlib.new(name, raw).digest() == value, name)


def main():
    with open(sys.argv[1], "rb") as f:
        image = Image(f.read())
    image.open()
    raw = image.plain()
    if image.sealed:
        check_digests(image, raw)
    with open(sys.argv[2], "wb") as f:
        f.write(raw)
    with open(sys.argv[3], "w") as f:
        lba = 0
        while lba < image.n:
            end = lba
            while end < image.n and image.states[end] == image.states[lba]:
                end += 1
            f.write("%d %d %d\n" % (lba, end - lba, image.states[lba]))
            lba = end
    names = [p[8:8 + struct.unpack_from("<H", p)[0]].decode() for kind, p in image.refs if kind == b"BLOB"]
    print("generation %d, %d records, %d of data, blobs: %s" %
          (image.generation, len(image.records), len(image.index), " ".join(sorted(set(names)))))


try:
    main()
except Wrong as wrong:
    sys.exit("read.py: not as specified: %s" % wrong)
