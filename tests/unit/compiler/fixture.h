/* SPDX-License-Identifier: MIT */
/*
 * fixture.h: intents made by hand, for tests of the passes behind the intent. One fixture is one
 * compilation; an unused helper is no error.
 */
#ifndef GPC_TESTS_FIXTURE_H
#define GPC_TESTS_FIXTURE_H

#include <CUnit/CUnit.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "image/image_file.h"
#include "image/write.h"
#include "lower/tables.h"

struct fixture {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_intent intent;
	uint32_t source;
	char *text; /* of the source: one line per object, so that each has a place */
	size_t lines;
};

#define FIXTURE_LINES 4096

/* A source whose line N is `object N`, so that line numbers in the tests can be counted. */
static inline void fixture_init(struct fixture *fixture)
{
	static char text[FIXTURE_LINES * 12 + 1];

	memset(fixture, 0, sizeof(*fixture));
	if (!text[0])
		for (int i = 0; i < FIXTURE_LINES; i++)
			snprintf(text + 12 * i, 13, "object %4d\n", i + 1);
	gpc_diags_init(&fixture->diags, &fixture->arena, false);
	fixture->source = gpc_diags_add_source(&fixture->diags, "plane.yaml", text, strlen(text));
	fixture->intent.name.text = "test";
}

static inline void fixture_release(struct fixture *fixture)
{
	gpc_arena_release(&fixture->arena);
}

static inline struct gpc_place fixture_place(struct fixture *fixture)
{
	uint32_t start = (uint32_t)(12 * (fixture->lines++ % FIXTURE_LINES));

	return (struct gpc_place){fixture->source, start, start + 6};
}

static inline struct gpc_text_value fixture_text(struct fixture *fixture, const char *text)
{
	return (struct gpc_text_value){gpc_arena_strdup(&fixture->arena, text),
				       fixture_place(fixture)};
}

static inline struct gpc_uint_value fixture_number(struct fixture *fixture, uint64_t value)
{
	return (struct gpc_uint_value){value, true, fixture_place(fixture)};
}

static inline struct gpc_prefix_value fixture_address(struct fixture *fixture, const char *text)
{
	struct gpc_prefix_value value = {.at = fixture_place(fixture)};

	CU_ASSERT_EQUAL_FATAL(gpc_prefix_parse(text, strlen(text), &value.prefix), GPC_IP_OK);
	return value;
}

static inline struct gpc_interface_intent *fixture_interface(struct fixture *fixture,
							     const char *name)
{
	struct gpc_interface_intent *interface =
		GPC_PUSH(&fixture->arena, &fixture->intent.interfaces);

	interface->name = fixture_text(fixture, name);
	interface->at = interface->name.at;
	return interface;
}

static inline struct gpc_backend_intent *fixture_backend(struct fixture *fixture, const char *name)
{
	struct gpc_backend_intent *backend = GPC_PUSH(&fixture->arena, &fixture->intent.backends);

	backend->name = fixture_text(fixture, name);
	backend->at = backend->endpoints_at = backend->name.at;
	return backend;
}

/* `second` may be NULL. */
static inline struct gpc_endpoint_intent *fixture_endpoint(struct fixture *fixture,
							   struct gpc_backend_intent *backend,
							   const char *name, const char *first,
							   const char *second)
{
	struct gpc_endpoint_intent *endpoint = GPC_PUSH(&fixture->arena, &backend->endpoints);

	endpoint->name = fixture_text(fixture, name);
	endpoint->at = endpoint->name.at;
	*GPC_PUSH(&fixture->arena, &endpoint->addresses) = fixture_address(fixture, first);
	if (second)
		*GPC_PUSH(&fixture->arena, &endpoint->addresses) = fixture_address(fixture, second);
	return endpoint;
}

static inline struct gpc_listener_intent *fixture_listener(struct fixture *fixture,
							   const char *name, const char *address,
							   uint8_t protocol, uint16_t port,
							   const char *backend)
{
	struct gpc_listener_intent *listener =
		GPC_PUSH(&fixture->arena, &fixture->intent.listeners);

	listener->name = fixture_text(fixture, name);
	listener->at = listener->name.at;
	*GPC_PUSH(&fixture->arena, &listener->addresses) = fixture_address(fixture, address);
	listener->protocol = fixture_number(fixture, protocol);
	listener->port = (struct gpc_ports_value){port, port, true, listener->at};
	listener->backend = fixture_text(fixture, backend);
	return listener;
}

/* Two interfaces, two backends (v4 and both families), three listeners: every kind of record. */
static inline void fixture_small_plane(struct fixture *fixture)
{
	struct gpc_backend_intent *web, *game;
	struct gpc_listener_intent *https, *other;

	fixture_init(fixture);
	fixture_interface(fixture, "wan0");
	fixture_interface(fixture, "lan*");
	web = fixture_backend(fixture, "web");
	fixture_endpoint(fixture, web, "web-1", "10.0.1.11", "2001:db8:1::11");
	fixture_endpoint(fixture, web, "web-2", "10.0.1.12", NULL)->weight =
		fixture_number(fixture, 3);
	fixture_endpoint(fixture, web, "web-3", "2001:db8:1::13", NULL);
	fixture_endpoint(fixture, web, "web-4", "10.0.1.14", NULL)->state =
		fixture_number(fixture, GPC_STATE_DRAIN);
	web->table_size = fixture_number(fixture, 251);
	game = fixture_backend(fixture, "game");
	fixture_endpoint(fixture, game, "g-1", "10.0.1.31", NULL);
	fixture_endpoint(fixture, game, "g-2", "10.0.1.32", NULL);
	https = fixture_listener(fixture, "https", "203.0.113.10", IPPROTO_TCP, 443, "web");
	*GPC_PUSH(&fixture->arena, &https->addresses) = fixture_address(fixture, "2001:db8:ff::10");
	https = &fixture->intent.listeners.items[0];
	*GPC_PUSH(&fixture->arena, &https->interfaces) = fixture_text(fixture, "wan0");
	other = fixture_listener(fixture, "https-inside", "203.0.113.10", IPPROTO_TCP, 443, "game");
	*GPC_PUSH(&fixture->arena, &other->interfaces) = fixture_text(fixture, "lan*");
	other->forward = fixture_number(fixture, GPC_FORWARD_DSR);
	fixture_listener(fixture, "game-udp", "203.0.113.11", IPPROTO_UDP, 27000, "game")->forward =
		fixture_number(fixture, GPC_FORWARD_DSR);
}

/* Model, checks, tables, image. False if a pass added an error. */
static inline bool fixture_compile(struct fixture *fixture, struct gpc_image_bytes *ret)
{
	struct gpc_provenance provenance = {.tool_version = "test"};
	struct gpc_tables tables;
	struct gpc_model model;

	return gpc_model_build(&fixture->diags, &fixture->intent, &model) &&
	       gpc_check(&fixture->diags, &model) && gpc_lower(&fixture->diags, &model, NULL, &tables) &&
	       gpc_image_write(&fixture->diags, &model, &tables, &provenance, ret);
}

/* First record of a code, NULL if there is none. */
static inline const struct gpc_diag *fixture_find(const struct fixture *fixture, enum gpc_code code)
{
	for (size_t i = 0; i < fixture->diags.records.n; i++)
		if (fixture->diags.records.items[i].code == code)
			return &fixture->diags.records.items[i];
	return NULL;
}

#endif
