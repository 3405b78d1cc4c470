# SPDX-License-Identifier: MIT
"""The records of an image, as schemas/image.v1.md has them, and their reader."""
import struct

HEAD = struct.Struct("<IHHIIIIIIIIII32s32s144s")
HEAD_FIELDS = ("magic version head_size abi flags size decision_offset decision_size provenance_offset "
               "provenance_size link_offset link_size pad0 decision_digest file_digest pad1").split()
PLANE = struct.Struct("<IIQQQIIQIIIIII8II5s3sII4s8I32s32sQII16s")
SECTION = struct.Struct("<IIII")
SECTIONS = ("words", "chain", "policy", "classifier", "rule", "vip_disp", "vip", "vip_choice", "vip_ports",
            "listener", "pool", "endpoint", "ep_disp", "ep_index", "quic_disp", "quic", "maglev", "table", "backend",
            "interface", "invariant", "invariant_words", "names")
SECTION_SLOTS = 24
NONE = 0xFFFFFFFF
U64 = (1 << 64) - 1

RECORDS = {     # layout, fields
    "words": ("<I", "value"),
    "chain": ("<QHHBBBB8HII24s", "stamp tag interface direction flags policies pad0 policy0 policy1 policy2 policy3 "
                                 "policy4 policy5 policy6 policy7 protect protect_base pad1"),
    "policy": ("<QIIIIIIBBH28s", "id name first_rule rules decide log mark mode fallback priority pad0"),
    "classifier": ("<28I16s", "flags groups source_map destination_map source_vector destination_vector "
                              "vector_shift cells cell_count protocol source_port destination_port source_stride l4 "
                              "bits bit_words none match match_stride ranges range_match residual residuals boxes "
                              "specs l4_classes loads bytes pad0"),
    "rule": ("<QIIBBHIIIQQIIQ", "id name policy action exceed flags mark log_sample log_rate rate_cost rate_burst "
                                "rate_entries pad0 expires"),
    "vip_disp": ("<I", "value"),
    "vip": ("<16sHBBIQ", "address port protocol flags listener interfaces"),
    "vip_choice": ("<QII", "interfaces listener last"),
    "vip_ports": ("<QIHBB", "interfaces listener first flags last"),
    "listener": ("<Q4I4IBBHHHBBBBHHIIIIIBBHQQII24s",
                 "id offset4 size4 first4 table4 offset6 size6 first6 table6 forward protocol port port_last flags "
                 "hash affinity outer_dscp quic_length gue_port pools first_pool pad0 backend name affinity_timeout "
                 "ping rate_exceed pad1 rate_cost rate_burst rate_entries pad2 pad3"),
    "pool": ("<4I4IIIII16s",
             "offset4 size4 first4 table4 offset6 size6 first6 table6 until total backend failover pad0"),
    "endpoint": ("<Q16s4sHBBIIHBBI16s", "id address6 address4 weight state flags backend name port quic_length pad0 "
                                        "by_name quic_id"),
    "quic_disp": ("<I", "value"),
    "quic": ("<16sIIQ", "id backend endpoint pad0"),
    "ep_disp": ("<I", "value"),
    "ep_index": ("<I", "value"),
    "table": ("<IIII", "offset size backend endpoints"),
    "backend": ("<Q16sIIIIBBHI16s", "id next_hop_address first_endpoint endpoints table_size name next_hop rebalance "
                                    "min_healthy failover pad0"),
    "interface": ("<QIBBBB16s", "id name mode role hooks pattern pad0"),
    "invariant": ("<QIBBHIIIIIIII16s", "id name form flags max interface boxes box_count allowed allowed_count backend "
                                       "memory max_lookups pad0"),
    "invariant_words": ("<I", "value"),
}
PADDING = {"pad0", "pad1", "pad2", "pad3"}
IPIP, DSR, GUE, NAT, PASSED = 1, 2, 3, 4, 5
READY, DRAIN, MAINT = 0, 1, 2
HAS_V4, HAS_V6, KEEP, FIB = 1, 2, 4, 8
EXACT, PORTS, SOLE, ADDRESS = 0, 1, 2, 3
KIND, CHOICE = 3, 4
POOLS = 16
XDP = 1
PASS, ALLOW, DENY, REJECT = 0, 1, 2, 3
BUILTINS = ("arp", "nd", "ra", "mld", "icmp-error")
IS_DEFAULT, IS_PROTECT, IS_BUILTIN = 8, 16, 32
STATEFUL = 8


class Wrong(Exception):
    pass


def expect(condition, *what):
    if not condition:
        raise Wrong(" ".join(map(str, what)))


class Record:
    def __init__(self, fields, values):
        self.__dict__.update(zip(fields, values))


class Image:
    def __init__(self, data):
        self.data = data
        expect(len(data) >= HEAD.size, "shorter than its head")
        self.head = Record(HEAD_FIELDS, HEAD.unpack_from(data))
        plane = PLANE.unpack_from(data, self.head.decision_offset)
        (self.format, self.flags, seed0, seed1, self.vip_seed, self.vip_buckets, self.vip_slots, self.ep_seed,
         self.ep_buckets, self.ep_slots, self.name_at, self.pad0, self.flows, self.flow_inserts) = plane[:14]
        self.seed = struct.pack("<QQ", seed0, seed1)
        self.timeouts = plane[14:22]
        self.pickup, self.builtin, pad1, self.protects, self.epoch, pad2 = plane[22:28]
        self.tries, pad3, self.vip_lengths = plane[28:36], plane[36], plane[37]
        self.quic_seed, self.quic_buckets, self.quic_slots, pad4 = plane[38:]
        self.plane_pad = pad1 + pad2 + pad3 + pad4
        at = self.head.decision_offset + PLANE.size
        self.directory = [SECTION.unpack_from(data, at + i * SECTION.size) for i in range(SECTION_SLOTS)]
        self.sections = dict(zip(SECTIONS, self.directory))
        for name, (layout, fields) in RECORDS.items():
            setattr(self, name, self.records(name, struct.Struct(layout), fields.split()))

    def records(self, name, layout, fields):
        offset, size, count, entry_size = self.sections[name]
        expect(entry_size == layout.size, "section", name, "has records of", entry_size, "bytes")
        expect(size == count * entry_size and offset + size <= len(self.data), "section", name, "does not fit")
        return [Record(fields, layout.unpack_from(self.data, offset + i * layout.size)) for i in range(count)]

    def decision(self):
        return self.data[self.head.decision_offset:self.head.decision_offset + self.head.decision_size]

    def name(self, at):
        offset, size, _, _ = self.sections["names"]
        expect(at < size, "name outside of its section")
        end = self.data.index(0, offset + at)
        expect(end < offset + size, "name without end")
        return self.data[offset + at:end].decode()

    def slots(self, offset, size):
        start, length, _, _ = self.sections["maglev"]
        expect(start <= offset and offset + 2 * size <= start + length, "table outside of its section")
        return struct.unpack_from("<%dH" % size, self.data, offset)
