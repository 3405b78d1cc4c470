/* SPDX-License-Identifier: MIT */
/*
 * vip_planes.h: random planes whose listeners overlap as much as they may (prefixes in prefixes, ports in
 * ranges in `any`, interfaces), the YAML of them, and what SEMANTICS says of a packet by going through the
 * listeners. Written without a look at the tables or their lookup.
 */
#ifndef GPC_ORACLE_VIP_PLANES_H
#define GPC_ORACLE_VIP_PLANES_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define VIP_INTERFACES 6u
#define VIP_LISTENERS 400u
#define VIP_PREFIXES 5u
#define VIP_POINTS 12u
#define VIP_LENGTHS 6u
#define VIP_PORTS_MOST 24u

enum vip_forward { VIP_IPIP, VIP_DSR, VIP_GUE, VIP_PASS, VIP_FORWARDS };
enum vip_ping { VIP_REPLY, VIP_PING_PASS, VIP_DROP };

struct vip_prefix {
	uint8_t bytes[16]; /* v4 as ::ffff:a.b.c.d */
	bool v4;
	unsigned int length; /* of its own family */
};

struct vip_listener {
	char name[16];
	struct vip_prefix prefixes[VIP_PREFIXES];
	unsigned int prefix_count;
	unsigned int protocol;
	unsigned int first, last; /* `any`: 0 and 65535 */
	unsigned int interfaces;  /* bit i: on interface i */
	enum vip_forward forward;
	unsigned int gue_port;
	enum vip_ping ping;
};

struct vip_plane {
	struct vip_listener listeners[VIP_LISTENERS];
	unsigned int count;
	uint8_t points[2][VIP_POINTS][16];	/* v6, v4: addresses that prefixes are cut from */
	unsigned int lengths[2][VIP_LENGTHS];
	unsigned int ports[VIP_PORTS_MOST]; /* where ranges begin and end */
};

struct vip_query {
	uint8_t address[16];
	unsigned int port, protocol, interface;
};

/* ---- prefixes ---- */

static inline bool vip_bit(const uint8_t *bytes, unsigned int i)
{
	return bytes[i / 8] >> (7 - i % 8) & 1;
}

static inline bool vip_address_is_v4(const uint8_t *bytes)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(bytes, mapped, 12);
}

static inline bool vip_holds(const struct vip_prefix *prefix, const uint8_t *address)
{
	unsigned int from = prefix->v4 ? 96 : 0;

	if (prefix->v4 != vip_address_is_v4(address))
		return false;
	for (unsigned int i = from; i < from + prefix->length; i++)
		if (vip_bit(prefix->bytes, i) != vip_bit(address, i))
			return false;
	return true;
}

static inline bool vip_same_prefix(const struct vip_prefix *a, const struct vip_prefix *b)
{
	return a->v4 == b->v4 && a->length == b->length && !memcmp(a->bytes, b->bytes, 16);
}

/* ---- what may not stand in one plane ---- */

static inline bool vip_clash(const struct vip_listener *a, const struct vip_listener *b)
{
	bool shares_prefix = false;
	bool apart, inside;

	for (unsigned int i = 0; i < a->prefix_count; i++)
		for (unsigned int k = 0; k < b->prefix_count; k++)
			shares_prefix |= vip_same_prefix(&a->prefixes[i], &b->prefixes[k]);
	if (!shares_prefix)
		return false;
	if (a->ping != b->ping ||
	    (a->forward == VIP_GUE && b->forward == VIP_GUE && a->gue_port != b->gue_port))
		return true;
	if (a->protocol != b->protocol || !(a->interfaces & b->interfaces))
		return false;
	apart = a->last < b->first || b->last < a->first;
	inside = (a->first >= b->first && a->last <= b->last) ||
		 (b->first >= a->first && b->last <= a->last);
	return (a->first == b->first && a->last == b->last) || (!apart && !inside);
}

/* ---- thinking up ---- */

static inline void vip_points(struct vip_plane *p, struct random_source *r)
{
	static const uint8_t bases[2][16] = {
		{0x20, 0x01, 0x0d, 0xb8, 0, 0xff},
		{[10] = 0xff, [11] = 0xff, 198, 18, 64, 10},
	};

	for (unsigned int v4 = 0; v4 < 2; v4++) {
		for (unsigned int i = 0; i < VIP_POINTS; i++) {
			uint8_t *point = p->points[v4][i];

			memcpy(point, bases[v4], 16);
			/* Few bits apart, anywhere behind the first that the family leaves free. */
			for (unsigned int k = random_below(r, 4); k > 0; k--) {
				unsigned int bit = v4 ? 104 + (unsigned int)random_below(r, 24)
						      : 24 + (unsigned int)random_below(r, 104);

				point[bit / 8] ^= (uint8_t)(1u << (7 - bit % 8));
			}
		}
		for (unsigned int i = 0; i < VIP_LENGTHS; i++)
			p->lengths[v4][i] = v4 ? 8 + (unsigned int)random_below(r, 25)
					       : 16 + (unsigned int)random_below(r, 113);
		p->lengths[v4][0] = v4 ? 32 : 128;
	}
	for (unsigned int i = 0; i < VIP_PORTS_MOST; i++)
		p->ports[i] = 1 + (unsigned int)random_below(r, i % 2 ? 65535 : 600);
	p->ports[0] = 1;
	p->ports[1] = 65535;
}

static inline struct vip_prefix vip_random_prefix(const struct vip_plane *p,
						  struct random_source *r)
{
	bool v4 = random_chance(r, 50);
	struct vip_prefix prefix = {
		.v4 = v4,
		.length = random_chance(r, 40) ? p->lengths[v4][0]
					       : p->lengths[v4][random_below(r, VIP_LENGTHS)]};

	memcpy(prefix.bytes, p->points[v4][random_below(r, VIP_POINTS)], 16);
	for (unsigned int i = (v4 ? 96 : 0) + prefix.length; i < 128; i++)
		prefix.bytes[i / 8] &= (uint8_t)~(1u << (7 - i % 8));
	return prefix;
}

static inline void vip_random_ports(const struct vip_plane *p, struct random_source *r,
				    struct vip_listener *l)
{
	unsigned int a = p->ports[random_below(r, VIP_PORTS_MOST)];
	unsigned int b = p->ports[random_below(r, VIP_PORTS_MOST)];

	if (random_chance(r, 10)) {
		l->first = 0;
		l->last = 65535;
	} else if (random_chance(r, 45)) {
		l->first = l->last = a;
	} else {
		l->first = a < b ? a : b;
		l->last = a < b ? b : a;
	}
}

static inline void vip_add_listener(struct vip_plane *p, struct random_source *r)
{
	struct vip_listener *l = &p->listeners[p->count];

	*l = (struct vip_listener){
		.protocol = random_chance(r, 60) ? IPPROTO_TCP : IPPROTO_UDP,
		.interfaces = random_chance(r, 50)
				      ? (1u << VIP_INTERFACES) - 1
				      : 1 + (unsigned int)random_below(r, (1u << VIP_INTERFACES) - 1),
		.forward = (enum vip_forward)random_below(r, VIP_FORWARDS),
		.gue_port = random_chance(r, 90) ? 6080 : 6081,
		.ping = random_chance(r, 85) ? VIP_REPLY : (enum vip_ping)random_below(r, 3),
	};
	if (l->forward == VIP_PASS && random_chance(r, 30))
		l->protocol = IPPROTO_SCTP;
	/* Not in the order of their names. */
	snprintf(l->name, sizeof(l->name), "l%u-%u", p->count * 7 % 10, p->count);
	vip_random_ports(p, r, l);
	for (unsigned int n = 1 + (unsigned int)random_below(r, VIP_PREFIXES); n > 0; n--) {
		struct vip_prefix prefix = vip_random_prefix(p, r);
		bool there = false;

		for (unsigned int i = 0; i < l->prefix_count; i++)
			there |= vip_same_prefix(&l->prefixes[i], &prefix);
		if (!there)
			l->prefixes[l->prefix_count++] = prefix;
	}
	for (unsigned int i = 0; i < p->count; i++)
		if (vip_clash(l, &p->listeners[i]))
			return;
	p->count++;
}

/* `tries` listeners, less those that clash with one before. */
static inline void vip_random_plane(struct vip_plane *p, struct random_source *r, unsigned int tries)
{
	memset(p, 0, sizeof(*p));
	vip_points(p, r);
	while (tries-- && p->count < VIP_LISTENERS)
		vip_add_listener(p, r);
}

/* ---- writing ---- */

static inline void vip_write_listener(FILE *f, const struct vip_listener *l)
{
	static const char *const forwards[] = {"ipip", "dsr", "gue", "pass"};
	static const char *const pings[] = {"reply", "pass", "drop"};
	char text[INET6_ADDRSTRLEN];
	const char *comma = "";

	fprintf(f, "  - {name: %s, protocol: %s, forward: %s, ping: %s", l->name,
		l->protocol == IPPROTO_TCP   ? "TCP"
		: l->protocol == IPPROTO_UDP ? "UDP"
					     : "SCTP",
		forwards[l->forward], pings[l->ping]);
	if (l->forward != VIP_PASS)
		fprintf(f, ", backend: b");
	if (l->forward == VIP_GUE)
		fprintf(f, ", gue-port: %u", l->gue_port);
	if (!l->first)
		fprintf(f, ", port: any");
	else if (l->first == l->last)
		fprintf(f, ", port: %u", l->first);
	else
		fprintf(f, ", port: %u-%u", l->first, l->last);
	fprintf(f, ", address: [");
	for (unsigned int i = 0; i < l->prefix_count; i++) {
		const struct vip_prefix *prefix = &l->prefixes[i];

		inet_ntop(prefix->v4 ? AF_INET : AF_INET6, prefix->bytes + (prefix->v4 ? 12 : 0),
			  text, sizeof(text));
		fprintf(f, "%s\"%s/%u\"", i ? ", " : "", text, prefix->length);
	}
	fprintf(f, "], interfaces: [");
	for (unsigned int i = 0; i < VIP_INTERFACES; i++) {
		if (l->interfaces >> i & 1)
			fprintf(f, "%sif%u", comma, i);
		comma = l->interfaces >> i & 1 ? ", " : comma;
	}
	fprintf(f, "]}\n");
}

/* malloc'ed YAML; interface i is bit i. */
static inline char *vip_yaml(const struct vip_plane *p)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	fprintf(f, "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: vips}\ninterfaces:\n");
	for (unsigned int i = 0; i < VIP_INTERFACES; i++)
		fprintf(f, "  - {name: if%u}\n", i);
	fprintf(f, "backends:\n  - {name: b, table-size: 11, endpoints: [{name: e, address: "
		   "[10.0.0.1, \"fd00::1\"]}]}\nlisteners:\n");
	for (unsigned int i = 0; i < p->count; i++)
		vip_write_listener(f, &p->listeners[i]);
	fclose(f);
	return text;
}

/* ---- what is right: SEMANTICS 3, 4.5, 6.1 ---- */

/* Length of the longest of the listener's prefixes that holds the address; -1: none does. */
static inline int vip_longest(const struct vip_listener *l, const uint8_t *address)
{
	int longest = -1;

	for (unsigned int i = 0; i < l->prefix_count; i++)
		if (vip_holds(&l->prefixes[i], address) && (int)l->prefixes[i].length > longest)
			longest = (int)l->prefixes[i].length;
	return longest;
}

static inline const struct vip_listener *vip_right(const struct vip_plane *p,
						   const struct vip_query *q)
{
	const struct vip_listener *best = NULL;
	int best_length = -1;

	for (unsigned int i = 0; i < p->count; i++) {
		const struct vip_listener *l = &p->listeners[i];
		int length = vip_longest(l, q->address);

		if (length < 0 || l->protocol != q->protocol || q->port < l->first ||
		    q->port > l->last || !(l->interfaces >> q->interface & 1))
			continue;
		if (length > best_length ||
		    (length == best_length && l->last - l->first < best->last - best->first)) {
			best = l;
			best_length = length;
		}
	}
	return best;
}

/* For a later fragment: the only one. */
static inline const struct vip_listener *vip_right_sole(const struct vip_plane *p,
							const struct vip_query *q)
{
	const struct vip_listener *only = NULL;

	for (unsigned int i = 0; i < p->count; i++) {
		const struct vip_listener *l = &p->listeners[i];

		if (vip_longest(l, q->address) < 0 || l->protocol != q->protocol ||
		    !(l->interfaces >> q->interface & 1))
			continue;
		if (only)
			return NULL;
		only = l;
	}
	return only;
}

/* What to do with an echo request; -1: it is no listener's address. */
static inline int vip_right_ping(const struct vip_plane *p, const struct vip_query *q)
{
	int best_length = -1, ping = -1;

	for (unsigned int i = 0; i < p->count; i++) {
		const struct vip_listener *l = &p->listeners[i];
		int length = vip_longest(l, q->address);

		if (length <= best_length || !(l->interfaces >> q->interface & 1))
			continue;
		best_length = length;
		ping = (int)l->ping;
	}
	return ping;
}

static inline bool vip_sends(const struct vip_listener *l, enum vip_forward forward,
			     unsigned int gue_port)
{
	return l->forward == forward && (forward != VIP_GUE || l->gue_port == gue_port);
}

/* Decap: does a listener that takes the inner packet on some interface send so? */
static inline bool vip_right_forwards(const struct vip_plane *p, struct vip_query q,
				      enum vip_forward forward, unsigned int gue_port)
{
	for (q.interface = 0; q.interface < VIP_INTERFACES; q.interface++) {
		const struct vip_listener *l = vip_right(p, &q);

		if (l && vip_sends(l, forward, gue_port))
			return true;
	}
	return false;
}

/* The same for an inner packet without ports: some listener with the address sends so. */
static inline bool vip_right_address_forwards(const struct vip_plane *p, const struct vip_query *q,
					      enum vip_forward forward, unsigned int gue_port)
{
	for (unsigned int i = 0; i < p->count; i++)
		if (vip_longest(&p->listeners[i], q->address) >= 0 &&
		    vip_sends(&p->listeners[i], forward, gue_port))
			return true;
	return false;
}

/* ---- questions: at the corners of what listeners claim ---- */

static inline unsigned int vip_random_port(const struct vip_listener *l, struct random_source *r)
{
	switch (random_below(r, 6)) {
	case 0:
		return l->first;
	case 1:
		return l->last;
	case 2:
		return (l->first + 65535) & 65535; /* one below */
	case 3:
		return (l->last + 1) & 65535;
	case 4:
		return (unsigned int)random_between(r, l->first, l->last);
	default:
		return (unsigned int)random_below(r, 65536);
	}
}

/* An address of the prefix: its first, its last, or some other; or one bit off. */
static inline void vip_random_address(const struct vip_prefix *prefix, struct random_source *r,
				      uint8_t address[16])
{
	unsigned int from = prefix->v4 ? 96 : 0, how = (unsigned int)random_below(r, 5);

	memcpy(address, prefix->bytes, 16);
	for (unsigned int i = from + prefix->length; i < 128; i++)
		if (how == 1 || (how >= 2 && random_chance(r, how == 2 ? 50 : 5)))
			address[i / 8] |= (uint8_t)(1u << (7 - i % 8));
	if (how == 4) {
		unsigned int bit = from + (unsigned int)random_below(r, 128 - from);

		address[bit / 8] ^= (uint8_t)(1u << (7 - bit % 8));
	}
}

static inline struct vip_query vip_random_query(const struct vip_plane *p, struct random_source *r)
{
	const struct vip_listener *l = &p->listeners[random_below(r, p->count)];
	const struct vip_listener *other = &p->listeners[random_below(r, p->count)];
	struct vip_query q = {.port = vip_random_port(random_chance(r, 70) ? l : other, r),
			      .protocol = l->protocol,
			      .interface = (unsigned int)random_below(r, VIP_INTERFACES)};

	if (random_chance(r, 10))
		q.protocol = (unsigned int[]){IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, 0, 1, 58,
					      255}[random_below(r, 7)];
	if (random_chance(r, 30))
		memcpy(q.address, p->points[random_below(r, 2)][random_below(r, VIP_POINTS)], 16);
	else
		vip_random_address(&l->prefixes[random_below(r, l->prefix_count)], r, q.address);
	return q;
}

#endif
