// SPDX-License-Identifier: MIT
#include "frame.h"

#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <string.h>

static void put(struct frame *f, const void *bytes, size_t size)
{
	memcpy(f->bytes + f->size, bytes, size);
	f->size += (uint32_t)size;
}

static void put8(struct frame *f, uint8_t value)
{
	put(f, &value, 1);
}

static void put16(struct frame *f, uint16_t value)
{
	value = htons(value);
	put(f, &value, 2);
}

static void put32(struct frame *f, uint32_t value)
{
	value = htonl(value);
	put(f, &value, 4);
}

static void put_address(struct frame *f, const char *text)
{
	uint8_t bytes[16];
	bool v6 = strchr(text, ':');

	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) != 1)
		errx(1, "not an address: '%s'", text);
	put(f, bytes, v6 ? 16 : 4);
}

static uint32_t sum16(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0);
	return sum;
}

uint16_t frame_checksum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = sum16(bytes, size);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_ethernet(struct frame *f, const struct frame_spec *spec, bool v6)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0xcc};

	put(f, macs, sizeof(macs));
	for (int i = 0; i < spec->tags; i++) {
		put16(f, i + 1 < spec->tags ? 0x88a8 : 0x8100);
		put16(f, (uint16_t)(101 + i));
	}
	put16(f, spec->type ? spec->type : v6 ? 0x86dd : 0x0800);
	f->l3 = f->size;
}

static void put_quote(struct frame *f, const struct frame_spec *quote)
{
	struct frame quoted;

	frame_build(quote, &quoted);
	put(f, quoted.bytes + quoted.l3, (quoted.bytes[quoted.l3] >> 4 == 6 ? 40 : 20) + 8);
}

static void put_l4(struct frame *f, const struct frame_spec *spec, uint8_t protocol)
{
	uint16_t source = spec->source_port ? spec->source_port : 40000;
	uint16_t port = spec->port ? spec->port : 80, payload = spec->payload ? spec->payload : 12;

	if (spec->no_payload)
		payload = 0;
	if (protocol == TCP) {
		uint8_t offset =
			spec->data_offset ? spec->data_offset : (uint8_t)(5 + spec->tcp_options);

		put16(f, source);
		put16(f, port);
		put32(f, 0x01020304);
		put32(f, 0x05060708);
		put8(f, (uint8_t)(offset << 4));
		put8(f, spec->flags ? spec->flags : ACK);
		put16(f, 0xffff);
		put32(f, 0);
		for (int i = 0; i < spec->tcp_options; i++)
			put32(f, 0x01010101);
	} else if (protocol == UDP) {
		put16(f, source);
		put16(f, port);
		put16(f, (uint16_t)(8 + payload));
		put16(f, 0);
	} else if (spec->quote) {
		put32(f, (uint32_t)spec->icmp << 16);
		put32(f, 0);
		put_quote(f, spec->quote);
		payload = 0;
	} else {
		put32(f, (uint32_t)(spec->icmp ? spec->icmp : 0x0800) << 16);
		put32(f, 0x00010001);
		put32(f, 0);
	}
	for (int i = 0; i < payload; i++)
		put8(f, (uint8_t)('a' + i % 26));
}

static void put_v4(struct frame *f, const struct frame_spec *spec)
{
	uint16_t size;

	put8(f, (uint8_t)((spec->version ? spec->version : 4) << 4 |
			  (spec->ihl ? spec->ihl : 5 + spec->options)));
	put8(f, spec->tos);
	put16(f, 0);
	put16(f, spec->id);
	put16(f, spec->fragment ? spec->fragment : spec->may_fragment ? 0 : 0x4000);
	put8(f, spec->hops ? spec->hops : 63);
	put8(f, spec->protocol ? spec->protocol : TCP);
	put16(f, 0);
	put_address(f, spec->from ? spec->from : "198.51.100.7");
	put_address(f, spec->to);
	for (int i = 0; i < spec->options; i++)
		put32(f, 0x01010101);
	put_l4(f, spec, spec->protocol ? spec->protocol : TCP);
	size = htons((uint16_t)(f->size - f->l3 + spec->length));
	memcpy(f->bytes + f->l3 + 2, &size, 2);
	size = htons(frame_checksum(f->bytes + f->l3, 20 + 4u * spec->options));
	memcpy(f->bytes + f->l3 + 10, &size, 2);
}

static uint8_t wire_kind(uint8_t extension)
{
	return extension == HOP_BY_HOP ? 0 : extension == ROUTING_0 ? ROUTING : extension;
}

static void put_extension(struct frame *f, const struct frame_spec *spec, uint8_t kind,
			  uint8_t next)
{
	uint8_t words = kind == FRAGMENT_HEADER ? 0 : kind == AH ? 4 : spec->extension_words;
	uint32_t size = kind == AH ? (words + 2u) * 4 : (words + 1u) * 8;
	uint32_t start = f->size;

	put8(f, next);
	put8(f, words);
	if (kind == FRAGMENT_HEADER)
		put16(f, spec->fragment);
	else
		put16(f, kind == ROUTING ? 0x0400 : kind == ROUTING_0 ? 0x0000 : 0x0104);
	while (f->size < start + size)
		put8(f, 0);
}

static void put_v6(struct frame *f, const struct frame_spec *spec)
{
	uint8_t protocol = spec->protocol ? spec->protocol : TCP;
	uint16_t size;

	put32(f, (uint32_t)(spec->version ? spec->version : 6) << 28 | (uint32_t)spec->tos << 20 |
			 spec->label);
	put16(f, 0);
	put8(f, spec->extensions[0] ? wire_kind(spec->extensions[0]) : protocol);
	put8(f, spec->hops ? spec->hops : 63);
	put_address(f, spec->from ? spec->from : "2001:db8:10::7");
	put_address(f, spec->to);
	for (int i = 0; i < 8 && spec->extensions[i]; i++)
		put_extension(f, spec, spec->extensions[i],
			      i < 7 && spec->extensions[i + 1] ? wire_kind(spec->extensions[i + 1])
							       : protocol);
	put_l4(f, spec, protocol);
	size = htons((uint16_t)(f->size - f->l3 - 40 + spec->length));
	memcpy(f->bytes + f->l3 + 4, &size, 2);
}

void frame_build(const struct frame_spec *spec, struct frame *ret)
{
	bool v6 = strchr(spec->to, ':');

	memset(ret, 0, sizeof(*ret));
	put_ethernet(ret, spec, v6);
	if (v6)
		put_v6(ret, spec);
	else
		put_v4(ret, spec);
	ret->ip_size = ret->size - ret->l3 + (uint32_t)(int32_t)spec->length;
	ret->size += spec->padding;
	if (spec->cut)
		ret->size = spec->cut;
}

static void put_outer(struct frame *f, const struct frame *in, const struct frame_outer *outer)
{
	const uint8_t *inner = in->bytes + in->l3;
	bool inner6 = inner[0] >> 4 == 6, v6 = strchr(outer->to, ':');
	uint8_t tos = inner6 ? (uint8_t)(inner[0] << 4 | inner[1] >> 4) : inner[1];
	uint32_t start = f->size;
	uint16_t sum;

	if (v6) {
		put32(f, 6u << 28 | (uint32_t)tos << 20 | outer->label);
		put16(f, (uint16_t)in->ip_size);
		put8(f, inner6 ? 41 : 4);
		put8(f, 64);
		put_address(f, outer->from);
		put_address(f, outer->to);
		return;
	}
	put8(f, 0x45);
	put8(f, tos);
	put16(f, (uint16_t)(20 + in->ip_size));
	put16(f, inner[6] & 0x40 ? 0 : (uint16_t)(inner[4] << 8 | inner[5]));
	put16(f, inner[6] & 0x40 ? 0x4000 : 0);
	put8(f, 64);
	put8(f, 4);
	put16(f, 0);
	put_address(f, outer->from);
	put_address(f, outer->to);
	sum = htons(frame_checksum(f->bytes + start, 20));
	memcpy(f->bytes + start + 10, &sum, 2);
}

void frame_expect(const struct frame *in, const struct frame_outer *outer, struct frame *ret)
{
	const uint8_t *inner = in->bytes + in->l3;
	bool v6 = outer->to ? strchr(outer->to, ':') != NULL : inner[0] >> 4 == 6;

	memset(ret, 0, sizeof(*ret));
	put(ret, outer->destination_mac, 6);
	put(ret, outer->source_mac, 6);
	if (outer->keep_tags)
		put(ret, in->bytes + 12, in->l3 - 14);
	put16(ret, v6 ? 0x86dd : 0x0800);
	ret->l3 = ret->size;
	if (!outer->to) {
		put(ret, inner, in->size - in->l3);
		return;
	}
	put_outer(ret, in, outer);
	put(ret, inner, in->ip_size);
}

static void show(const char *label, const uint8_t *bytes, size_t size)
{
	printf("  %s %4zu:", label, size);
	for (size_t i = 0; i < size; i++)
		printf("%s%02x", i % 4 ? "" : " ", bytes[i]);
	printf("\n");
}

void frame_show(const char *name, const uint8_t *got, size_t got_size, const uint8_t *want,
		size_t want_size)
{
	size_t i = 0;

	while (i < got_size && i < want_size && got[i] == want[i])
		i++;
	printf("%s: differs from byte %zu on\n", name, i);
	show("got ", got, got_size);
	show("want", want, want_size);
}
