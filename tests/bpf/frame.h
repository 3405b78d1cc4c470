/* SPDX-License-Identifier: MIT */
/*
 * frame.h: frames for tests of the data plane, described by what is in them, and the frames that
 * must come out. Addresses are text; 0 in a field means what is usual there.
 */
#ifndef GPC_TESTS_BPF_FRAME_H
#define GPC_TESTS_BPF_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 2048u

enum { TCP = 6, UDP = 17, ICMP = 1, ICMP6 = 58, SCTP = 132, ESP = 50, GRE = 47 };
enum {
	HOP_BY_HOP = 1,
	ROUTING = 43,
	ROUTING_0 = 200,
	FRAGMENT_HEADER = 44,
	AH = 51,
	DESTINATION = 60
};
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

struct frame_spec {
	const char *from, *to;	    /* default 198.51.100.7 or 2001:db8:10::7; `to` is required */
	uint16_t source_port, port; /* default 40000, 80 */
	uint8_t protocol;	    /* default TCP */
	uint8_t flags;		    /* TCP, default ACK */
	uint8_t data_offset;	    /* TCP, in words, default 5 + tcp_options */
	uint8_t tcp_options;	    /* words */
	uint8_t tags;		    /* VLAN tags: 0x88a8 outside of several, ids 101, 102, 103 */
	uint16_t type;		    /* EtherType, default by the address */
	uint8_t version;	    /* of the IP header, default by the address */
	uint8_t ihl;		    /* written into the header, default 5 + options */
	uint8_t options;	    /* IPv4, words */
	uint8_t tos;
	uint32_t label;	   /* IPv6 */
	uint16_t id;	   /* IPv4 */
	uint16_t fragment; /* IPv4 field, or that of an IPv6 FRAGMENT_HEADER as (offset << 3 | more)
			    */
	bool may_fragment; /* IPv4 without DF */
	uint8_t extensions[8];	 /* IPv6, 0 ends; HOP_BY_HOP stands for 0 */
	uint8_t extension_words; /* length byte of each, default 0 (8 bytes) */
	uint16_t payload;	 /* bytes behind the L4 header, default 12 */
	bool no_payload;
	int16_t length;	  /* added to the IP length field */
	uint16_t icmp;	  /* type << 8 | code, default echo request 0x0800 */
	uint8_t hops;	  /* TTL or hop limit, default 63 */
	const struct frame_spec *quote; /* ICMP error: the packet that is quoted, 8 bytes of L4 */
	uint16_t cut;	  /* frame ends after that many bytes; 0: whole */
	uint16_t padding; /* zero bytes behind the IP packet */
};

struct frame {
	uint8_t bytes[FRAME_MAX];
	uint32_t size;
	uint32_t l3;	  /* offset of the IP header */
	uint32_t ip_size; /* bytes of the IP packet */
};

void frame_build(const struct frame_spec *spec, struct frame *ret);

/* The IP packet of `in` inside an outer header; MACs as given; without tags unless keep_tags. */
struct frame_outer {
	const char *from, *to; /* NULL: no outer header (dsr) */
	uint8_t destination_mac[6], source_mac[6];
	bool keep_tags;
	uint32_t label; /* v6: exact */
};
void frame_expect(const struct frame *in, const struct frame_outer *outer, struct frame *ret);

/* 0 if the header's checksum is right. */
uint16_t frame_checksum(const uint8_t *bytes, size_t size);

/* Prints both as hex with the first difference; for a failed test. */
void frame_show(const char *name, const uint8_t *got, size_t got_size, const uint8_t *want,
		size_t want_size);

#endif
