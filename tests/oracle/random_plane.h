/* SPDX-License-Identifier: MIT */
/*
 * random_plane.h: random intents for the oracles. The objects are kept as plain arrays, in the
 * order in which they were thought up; the YAML is written from them, and the oracles judge by
 * them, so nothing that the compiler derives is believed.
 */
#ifndef GPC_ORACLE_RANDOM_PLANE_H
#define GPC_ORACLE_RANDOM_PLANE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memfiles.h"
#include "diag/diag.h"
#include "image/image_file.h"
#include "pipeline.h"

#include "random.h"

#define PLANE_INTERFACES 8
#define PLANE_BACKENDS 24
#define PLANE_ENDPOINTS 40
#define PLANE_LISTENERS 512
#define PLANE_ADDRESSES 96
#define LISTENER_ADDRESSES 6

struct plane_address {
	uint8_t bytes[16]; /* v4 as ::ffff:a.b.c.d */
};

struct plane_interface {
	char name[16];
	bool balances;	  /* has xdp and role edge */
	const char *rest; /* the other keys, as YAML */
};

struct plane_endpoint {
	char name[32];
	bool has4, has6;
	struct plane_address a4, a6;
	unsigned int weight;
	const char *state; /* ready, drain, maint */
};

struct plane_backend {
	char name[32];
	struct plane_endpoint endpoints[PLANE_ENDPOINTS];
	size_t count;
	unsigned int table_size; /* 0: not written */
};

struct plane_listener {
	char name[32];
	struct plane_address addresses[LISTENER_ADDRESSES];
	size_t count;
	unsigned int protocol, port;
	bool dsr;
	size_t backend;
	bool every_interface;	   /* no `interfaces` key, or `*` */
	bool on[PLANE_INTERFACES]; /* by interface of this struct, also with every_interface */
};

struct random_plane {
	char name[32];
	struct plane_interface interfaces[PLANE_INTERFACES];
	size_t interface_count;
	struct plane_backend backends[PLANE_BACKENDS];
	size_t backend_count;
	struct plane_listener listeners[PLANE_LISTENERS];
	size_t listener_count;
	struct plane_address pool[PLANE_ADDRESSES]; /* where the listeners' addresses come from */
	size_t pool_count;
	uint8_t seed[16];
	bool seed_written;
};

static inline bool plane_is_v4(const struct plane_address *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(a->bytes, mapped, 12) == 0;
}

static inline bool plane_same(const struct plane_address *a, const struct plane_address *b)
{
	return memcmp(a->bytes, b->bytes, 16) == 0;
}

static inline struct plane_address plane_v4(uint32_t host)
{
	struct plane_address a = {{[10] = 0xff, [11] = 0xff}};
	uint32_t net = htonl(host);

	memcpy(a.bytes + 12, &net, 4);
	return a;
}

/* Below 2001:db8:`subnet`::/48, or (subnet 0) the NAT64 form, which ends in bytes like a v4
 * address. */
static inline struct plane_address plane_v6(unsigned int subnet, uint64_t host)
{
	struct plane_address a = {
		{0x20, 0x01, 0x0d, 0xb8, (uint8_t)(subnet >> 8), (uint8_t)subnet}};

	if (subnet == 0)
		a = (struct plane_address){{0x00, 0x64, 0xff, 0x9b}};
	for (int i = 0; i < 8; i++)
		a.bytes[8 + i] = (uint8_t)(host >> (56 - 8 * i));
	return a;
}

/* ---- thinking up ----------------------------------------------------------------------------- */

static inline void plane_add_interfaces(struct random_plane *p, struct random_source *r)
{
	static const struct {
		const char *head, *tail, *rest;
		bool balances;
	} kinds[] = {
		{"wan", "", "hooks: [xdp]", true},
		{"lan", "*", "mode: any, hooks: [xdp, tc-egress]", true},
		{"Up.", "", "mode: generic", true},
		{"tc", "", "hooks: [tc-ingress]", false},
		{"dc", "", "role: decap, hooks: [xdp]", false},
	};

	p->interface_count = random_between(r, 1, PLANE_INTERFACES);
	for (size_t i = 0; i < p->interface_count; i++) {
		struct plane_interface *item = &p->interfaces[i];
		size_t kind = i == 0 ? 0 : random_below(r, sizeof(kinds) / sizeof(kinds[0]));

		/* the numbers differ and do not ascend */
		snprintf(item->name, sizeof(item->name), "%s%u%s", kinds[kind].head,
			 (unsigned int)(i * 7 % 11), kinds[kind].tail);
		item->rest = kinds[kind].rest;
		item->balances = kinds[kind].balances;
	}
}

static inline void plane_add_backend(struct random_plane *p, struct random_source *r)
{
	static const unsigned int sizes[] = {0, 0, 0, 11, 101, 251, 1021, 2039, 4099};
	static const char *const states[] = {"ready", "ready", "ready", "ready", "drain", "maint"};
	struct plane_backend *b = &p->backends[p->backend_count];

	snprintf(b->name, sizeof(b->name), "b%llu-%zu", (unsigned long long)random_below(r, 1000),
		 p->backend_count);
	b->table_size = sizes[random_below(r, sizeof(sizes) / sizeof(sizes[0]))];
	b->count = random_scale(r, 1, PLANE_ENDPOINTS);
	for (size_t i = 0; i < b->count; i++) {
		struct plane_endpoint *e = &b->endpoints[i];
		uint32_t host = (uint32_t)(p->backend_count * 256 + i);

		snprintf(e->name, sizeof(e->name), "e%llu.%zu",
			 (unsigned long long)random_below(r, 100), i);
		e->has4 = i == 0 || random_chance(r, 70);
		e->has6 = i == 0 || !e->has4 || random_chance(r, 40);
		e->a4 = plane_v4(0x0a000001u + host);
		e->a6 = plane_v6(0xe, host + 1);
		e->weight = random_chance(r, 50) ? 1 : (unsigned int)random_scale(r, 0, 65535);
		e->state = states[random_below(r, 6)];
	}
	/* mostly somebody takes new flows, in every family */
	if (random_chance(r, 90)) {
		b->endpoints[0].state = "ready";
		b->endpoints[0].weight = b->endpoints[0].weight ? b->endpoints[0].weight : 3;
	}
	p->backend_count++;
}

static inline void plane_add_pool(struct random_plane *p, struct random_source *r)
{
	p->pool_count = random_between(r, 1, PLANE_ADDRESSES);
	for (size_t i = 0; i < p->pool_count; i++) {
		uint32_t v4 = random_chance(r, 70)
				      ? 0xcb007100u + (uint32_t)i
				      : 0xc6120000u + (uint32_t)random_below(r, 0x20000);
		uint64_t v6 = random_chance(r, 50) ? i + 1 : random_u64(r);

		if (random_chance(r, 50))
			p->pool[i] = plane_v4(v4);
		else
			p->pool[i] = plane_v6(random_chance(r, 80) ? 0xff : 0,
					      random_chance(r, 80) ? v6 : v4);
	}
}

/* Do both claim one address, protocol and port on one interface? Such a pair would be refused. */
static inline bool plane_conflict(const struct random_plane *p, const struct plane_listener *a,
				  const struct plane_listener *b)
{
	bool shared = false;

	if (a->protocol != b->protocol || a->port != b->port)
		return false;
	for (size_t i = 0; i < p->interface_count; i++)
		shared |= a->on[i] && b->on[i];
	if (!shared)
		return false;
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			if (plane_same(&a->addresses[i], &b->addresses[j]))
				return true;
	return false;
}

static inline void plane_choose_interfaces(const struct random_plane *p, struct plane_listener *l,
					   struct random_source *r)
{
	bool somewhere = false;

	l->every_interface = random_chance(r, 40);
	for (size_t i = 0; i < p->interface_count; i++) {
		l->on[i] = l->every_interface || random_chance(r, 30);
		somewhere |= l->on[i] && p->interfaces[i].balances;
	}
	if (!somewhere)
		l->on[0] = true;
}

static inline void plane_add_listener(struct random_plane *p, struct random_source *r)
{
	static const unsigned int ports[] = {
		80, 443, 53, 8080, 20480 /* 80 with its bytes swapped */, 1, 65535};
	struct plane_listener *l = &p->listeners[p->listener_count];

	*l = (struct plane_listener){.protocol = random_chance(r, 60) ? IPPROTO_TCP : IPPROTO_UDP,
				     .dsr = random_chance(r, 50),
				     .backend = random_below(r, p->backend_count),
				     .port = random_chance(r, 60)
						     ? ports[random_below(r, 7)]
						     : (unsigned int)random_between(r, 1, 65535)};
	snprintf(l->name, sizeof(l->name), "L%llu_%zu", (unsigned long long)random_below(r, 10000),
		 p->listener_count);
	plane_choose_interfaces(p, l, r);
	for (size_t n = random_scale(r, 1, LISTENER_ADDRESSES); n > 0; n--) {
		struct plane_address a = p->pool[random_below(r, p->pool_count)];
		bool there = false;

		for (size_t i = 0; i < l->count; i++)
			there |= plane_same(&l->addresses[i], &a);
		if (!there)
			l->addresses[l->count++] = a;
	}
	for (size_t i = 0; i < p->listener_count; i++)
		if (plane_conflict(p, l, &p->listeners[i]))
			return;
	p->listener_count++;
}

/* About `listeners` listeners (those that collide with another are left out), never none. */
static inline void random_plane(struct random_plane *p, struct random_source *r, size_t listeners)
{
	memset(p, 0, sizeof(*p));
	snprintf(p->name, sizeof(p->name), "plane-%llu",
		 (unsigned long long)random_below(r, 1000000));
	p->seed_written = random_chance(r, 50);
	for (int i = 0; i < 16; i++)
		p->seed[i] = (uint8_t)random_u64(r);
	plane_add_interfaces(p, r);
	for (size_t n = random_between(r, 1, PLANE_BACKENDS); n > 0; n--)
		plane_add_backend(p, r);
	plane_add_pool(p, r);
	for (size_t n = 0; n < listeners && p->listener_count < PLANE_LISTENERS; n++)
		plane_add_listener(p, r);
}

/* ---- writing --------------------------------------------------------------------------------- */

static inline const char *plane_text(const struct plane_address *a, char out[INET6_ADDRSTRLEN])
{
	bool v4 = plane_is_v4(a);

	return inet_ntop(v4 ? AF_INET : AF_INET6, a->bytes + (v4 ? 12 : 0), out, INET6_ADDRSTRLEN);
}

/* 0, 1, .. count - 1, shuffled if `r` is given. */
static inline void plane_order(uint32_t *order, size_t count, struct random_source *r)
{
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	if (r)
		random_shuffle(r, order, count);
}

static inline void plane_write_endpoints(FILE *f, const struct plane_backend *b,
					 struct random_source *r)
{
	uint32_t order[PLANE_ENDPOINTS];
	char text[INET6_ADDRSTRLEN];

	plane_order(order, b->count, r);
	for (size_t k = 0; k < b->count; k++) {
		const struct plane_endpoint *e = &b->endpoints[order[k]];
		bool six_first = r && random_chance(r, 50);

		fprintf(f, "      - {name: %s, address: [", e->name);
		if (e->has6 && six_first)
			fprintf(f, "\"%s\"%s", plane_text(&e->a6, text), e->has4 ? ", " : "");
		if (e->has4)
			fprintf(f, "%s", plane_text(&e->a4, text));
		if (e->has6 && !six_first)
			fprintf(f, "%s\"%s\"", e->has4 ? ", " : "", plane_text(&e->a6, text));
		fprintf(f, "], weight: %u, state: %s}\n", e->weight, e->state);
	}
}

static inline void plane_write_backends(FILE *f, const struct random_plane *p,
					struct random_source *r)
{
	uint32_t order[PLANE_BACKENDS];

	fprintf(f, "backends:\n");
	plane_order(order, p->backend_count, r);
	for (size_t k = 0; k < p->backend_count; k++) {
		const struct plane_backend *b = &p->backends[order[k]];

		fprintf(f, "  - name: %s\n", b->name);
		if (b->table_size)
			fprintf(f, "    table-size: %u\n", b->table_size);
		fprintf(f, "    endpoints:\n");
		plane_write_endpoints(f, b, r);
	}
}

static inline void plane_write_listener(FILE *f, const struct random_plane *p,
					const struct plane_listener *l, struct random_source *r)
{
	uint32_t order[LISTENER_ADDRESSES];
	char text[INET6_ADDRSTRLEN];
	const char *comma = "";

	plane_order(order, l->count, r);
	fprintf(f, "  - {name: %s, protocol: %s, port: %u, forward: %s, backend: %s, address: [",
		l->name, l->protocol == IPPROTO_TCP ? "TCP" : "UDP", l->port,
		l->dsr ? "dsr" : "ipip", p->backends[l->backend].name);
	for (size_t i = 0; i < l->count; i++)
		fprintf(f, "%s\"%s\"", i ? ", " : "", plane_text(&l->addresses[order[i]], text));
	fprintf(f, "]");
	if (!l->every_interface) {
		fprintf(f, ", interfaces: [");
		for (size_t i = 0; i < p->interface_count; i++) {
			if (l->on[i])
				fprintf(f, "%s\"%s\"", comma, p->interfaces[i].name);
			comma = l->on[i] ? ", " : comma;
		}
		fprintf(f, "]");
	}
	fprintf(f, "}\n");
}

/* malloc'ed YAML. With `r` everything that may stand in any order is shuffled. */
static inline char *plane_yaml(const struct random_plane *p, struct random_source *r)
{
	uint32_t order[PLANE_LISTENERS];
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	fprintf(f, "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: %s}\n", p->name);
	if (p->seed_written) {
		fprintf(f, "defaults: {hash-seed: \"");
		for (int i = 0; i < 16; i++)
			fprintf(f, "%02x", p->seed[i]);
		fprintf(f, "\"}\n");
	}
	if (r && random_chance(r, 50))
		plane_write_backends(f, p, r);
	fprintf(f, "interfaces:\n");
	plane_order(order, p->interface_count, r);
	for (size_t k = 0; k < p->interface_count; k++)
		fprintf(f, "  - {name: \"%s\", %s}\n", p->interfaces[order[k]].name,
			p->interfaces[order[k]].rest);
	fprintf(f, "listeners:\n");
	plane_order(order, p->listener_count, r);
	for (size_t k = 0; k < p->listener_count; k++)
		plane_write_listener(f, p, &p->listeners[order[k]], r);
	fflush(f);
	if (!strstr(text, "\nbackends:\n"))
		plane_write_backends(f, p, r);
	fclose(f);
	return text;
}

/* ---- compiling ------------------------------------------------------------------------------- */

/* Compiles and opens through the reader. False (with the diagnostics printed) if either refused. */
static inline bool plane_compile(const char *yaml, struct gpc_image *ret_image,
				 uint8_t ret_digest[32])
{
	const char *path = "gpc.yaml";
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "oracle"};
	struct gpc_arena arena = {0};
	struct gpc_compiled compiled;
	struct gpc_provider provider;
	struct gpc_memfiles files;
	struct gpc_diags diags;
	bool ok;

	gpc_memfiles_init(&files, &arena);
	gpc_memfiles_add(&files, path, yaml, strlen(yaml));
	provider = gpc_memfiles_provider(&files);
	gpc_diags_init(&diags, &arena, false);
	ok = gpc_compile(&diags, &provider, &options, &compiled);
	if (ok) {
		memcpy(ret_digest, compiled.decision_digest, 32);
		ok = gpc_image_open(&diags, "plane.gpi", compiled.bytes, compiled.size, false,
				    ret_image);
	}
	for (size_t i = 0; !ok && i < diags.records.n && i < 10; i++)
		if (diags.records.items[i].severity == GPC_ERROR)
			fprintf(stderr, "oracle: %s: %s\n",
				gpc_code_text(diags.records.items[i].code),
				diags.records.items[i].message);
	gpc_arena_release(&arena);
	return ok;
}

#endif
