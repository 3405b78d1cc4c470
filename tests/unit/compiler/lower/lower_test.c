/* SPDX-License-Identifier: MIT */
/* Tables and VIPs through the lookups of the data plane, on the image that was written. */
#include <arpa/inet.h>

#include "../../unit.h"
#include "../image/image_tools.h"

static void open_fixture(struct fixture *fixture, struct gpc_image *image)
{
	struct gpc_image_bytes bytes;

	CU_ASSERT_FATAL(fixture_compile(fixture, &bytes));
	CU_ASSERT_FATAL(
		gpc_image_open(&fixture->diags, "a.gpi", bytes.bytes, bytes.size, false, image));
}

/* Name of the listener that takes the packet on the interface, "-" if none. */
static const char *ask(const struct gpc_image *image, const char *address, uint16_t port,
		       uint8_t protocol, int interface)
{
	uint64_t words[2];
	struct gpc_ip ip;
	uint32_t found;

	CU_ASSERT_EQUAL_FATAL(gpc_ip_parse(address, strlen(address), &ip), GPC_IP_OK);
	memcpy(words, ip.bytes, sizeof(words));
	found = gpc_vip_listener(image->view, words[0], words[1], htons(port), protocol,
				 1ull << interface);
	return found == GPC_NONE ? "-"
				 : gpc_image_name(image, gpc_listener_at(image->view, found)->name);
}

static int is_address(const struct gpc_image *image, const char *address, int interface)
{
	uint64_t words[2];
	struct gpc_ip ip;

	CU_ASSERT_EQUAL_FATAL(gpc_ip_parse(address, strlen(address), &ip), GPC_IP_OK);
	memcpy(words, ip.bytes, sizeof(words));
	return gpc_vip_is_address(image->view, words[0], words[1], 1ull << interface);
}

/* Interface 0 is lan*, 1 is wan0. */
static void listeners_are_found_on_their_interfaces_only(void)
{
	struct gpc_image image;
	struct fixture f;

	fixture_small_plane(&f);
	open_fixture(&f, &image);
	CU_ASSERT_STRING_EQUAL(ask(&image, "203.0.113.10", 443, IPPROTO_TCP, 1), "https");
	CU_ASSERT_STRING_EQUAL(ask(&image, "203.0.113.10", 443, IPPROTO_TCP, 0), "https-inside");
	CU_ASSERT_STRING_EQUAL(ask(&image, "203.0.113.10", 443, IPPROTO_TCP, 2), "-");
	CU_ASSERT_STRING_EQUAL(ask(&image, "2001:db8:ff::10", 443, IPPROTO_TCP, 1), "https");
	CU_ASSERT_STRING_EQUAL(ask(&image, "2001:db8:ff::10", 443, IPPROTO_TCP, 0), "-");
	CU_ASSERT_STRING_EQUAL(ask(&image, "203.0.113.11", 27000, IPPROTO_UDP, 0), "game-udp");
	CU_ASSERT_STRING_EQUAL(ask(&image, "203.0.113.11", 27000, IPPROTO_UDP, 1), "game-udp");
	CU_ASSERT_STRING_EQUAL(ask(&image, "203.0.113.11", 27000, IPPROTO_TCP, 1), "-");
	CU_ASSERT_STRING_EQUAL(ask(&image, "203.0.113.11", 27001, IPPROTO_UDP, 1), "-");
	CU_ASSERT_STRING_EQUAL(ask(&image, "203.0.113.12", 443, IPPROTO_TCP, 1), "-");
	CU_ASSERT_STRING_EQUAL(ask(&image, "203.0.113.10", 0, 0, 1), "-");
	gpc_image_release(&image);
	fixture_release(&f);
}

static void addresses_of_listeners_are_known_without_a_port(void)
{
	struct gpc_image image;
	struct fixture f;

	fixture_small_plane(&f);
	open_fixture(&f, &image);
	CU_ASSERT(is_address(&image, "203.0.113.10", 0));
	CU_ASSERT(is_address(&image, "203.0.113.10", 1));
	CU_ASSERT(is_address(&image, "2001:db8:ff::10", 1));
	CU_ASSERT_FALSE(is_address(&image, "2001:db8:ff::10", 0));
	CU_ASSERT_FALSE(is_address(&image, "10.0.1.11", 1));
	gpc_image_release(&image);
	fixture_release(&f);
}

static void a_plane_without_listeners_answers_no(void)
{
	struct gpc_image image;
	struct fixture f;

	fixture_init(&f);
	fixture_interface(&f, "wan0");
	open_fixture(&f, &image);
	CU_ASSERT_STRING_EQUAL(ask(&image, "203.0.113.10", 443, IPPROTO_TCP, 0), "-");
	CU_ASSERT_FALSE(is_address(&image, "0.0.0.0", 0));
	CU_ASSERT_EQUAL(gpc_endpoint_by_id(image.view, 7), GPC_NONE);
	gpc_image_release(&image);
	fixture_release(&f);
}

static const struct gpc_listener *listener_named(const struct gpc_image *image, const char *name)
{
	uint32_t count;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	for (uint32_t i = 0; i < count; i++)
		if (!strcmp(gpc_image_name(image, listeners[i].name), name))
			return &listeners[i];
	CU_FAIL_FATAL("no such listener");
	return NULL;
}

/* Is the endpoint in the table? */
static bool table_has(const struct gpc_image *image, const struct gpc_table_ref *ref,
		      const char *name)
{
	const uint16_t *slots = (const uint16_t *)(image->bytes + ref->offset);

	for (uint32_t i = 0; i < ref->size; i++)
		if (!strcmp(gpc_image_name(image, gpc_endpoint_at(image->view,
								  ref->first_endpoint + slots[i])
							  ->name),
			    name))
			return true;
	return false;
}

/* web: 1 has both families, 2 only v4, 3 only v6, 4 (v4) drains. */
static void tables_hold_who_takes_flows_and_can_be_reached(void)
{
	const struct gpc_listener *https;
	struct gpc_image image;
	struct fixture f;

	fixture_small_plane(&f);
	open_fixture(&f, &image);
	https = listener_named(&image, "https");
	CU_ASSERT(table_has(&image, &https->table[GPC_V4], "web-1"));
	CU_ASSERT(table_has(&image, &https->table[GPC_V4], "web-2"));
	CU_ASSERT(table_has(&image, &https->table[GPC_V4], "web-3"));
	CU_ASSERT_FALSE(table_has(&image, &https->table[GPC_V4], "web-4"));
	CU_ASSERT(table_has(&image, &https->table[GPC_V6], "web-1"));
	CU_ASSERT_FALSE(table_has(&image, &https->table[GPC_V6], "web-2"));
	CU_ASSERT(table_has(&image, &https->table[GPC_V6], "web-3"));
	CU_ASSERT_PTR_NOT_NULL(fixture_find(&f, GPC_W0306));
	gpc_image_release(&image);
	fixture_release(&f);
}

static void listeners_with_the_same_endpoints_share_a_table(void)
{
	const struct gpc_listener *udp, *inside;
	struct gpc_image image;
	struct fixture f;
	uint32_t count;

	fixture_small_plane(&f);
	open_fixture(&f, &image);
	udp = listener_named(&image, "game-udp");
	inside = listener_named(&image, "https-inside");
	CU_ASSERT_EQUAL(udp->table[GPC_V4].table, inside->table[GPC_V4].table);
	CU_ASSERT_EQUAL(udp->table[GPC_V6].offset, GPC_NONE);
	gpc_image_section(&image, GPC_SEC_TABLE, &count);
	CU_ASSERT_EQUAL(count, 3); /* game; web for v4; web for v6 */
	gpc_image_release(&image);
	fixture_release(&f);
}

static void one_table_serves_both_families_when_all_have_v6(void)
{
	const struct gpc_listener *listener;
	struct gpc_listener_intent *intent;
	struct gpc_backend_intent *web;
	struct gpc_image image;
	struct fixture f;

	fixture_init(&f);
	fixture_interface(&f, "wan0");
	web = fixture_backend(&f, "web");
	fixture_endpoint(&f, web, "a", "10.0.0.1", "2001:db8:1::1");
	fixture_endpoint(&f, web, "b", "2001:db8:1::2", NULL);
	intent = fixture_listener(&f, "l", "192.0.2.1", IPPROTO_TCP, 80, "web");
	*GPC_PUSH(&f.arena, &intent->addresses) = fixture_address(&f, "2001:db8::1");
	open_fixture(&f, &image);
	listener = listener_named(&image, "l");
	CU_ASSERT_EQUAL(listener->table[GPC_V4].table, listener->table[GPC_V6].table);
	CU_ASSERT_NOT_EQUAL(listener->table[GPC_V4].table, GPC_NONE);
	gpc_image_release(&image);
	fixture_release(&f);
}

static void a_backend_that_takes_no_flows_has_no_table(void)
{
	const struct gpc_listener *listener;
	struct gpc_backend_intent *web;
	struct gpc_image image;
	struct fixture f;

	fixture_init(&f);
	fixture_interface(&f, "wan0");
	web = fixture_backend(&f, "web");
	fixture_endpoint(&f, web, "a", "10.0.0.1", NULL)->state =
		fixture_number(&f, GPC_STATE_DRAIN);
	fixture_endpoint(&f, web, "b", "10.0.0.2", NULL)->weight = fixture_number(&f, 0);
	fixture_listener(&f, "l", "192.0.2.1", IPPROTO_TCP, 80, "web");
	open_fixture(&f, &image);
	CU_ASSERT_PTR_NOT_NULL(fixture_find(&f, GPC_W0307));
	listener = listener_named(&image, "l");
	CU_ASSERT_EQUAL(listener->table[GPC_V4].size, 0);
	CU_ASSERT_EQUAL(gpc_endpoint_by_hash(image.view, &listener->table[GPC_V4], 99), GPC_NONE);
	CU_ASSERT_STRING_EQUAL(ask(&image, "192.0.2.1", 80, IPPROTO_TCP, 0), "l");
	gpc_image_release(&image);
	fixture_release(&f);
}

/* SEMANTICS 6.4: names decide, not addresses, states of others' labels or the order of writing. */
static void a_table_depends_on_ids_and_weights_alone(void)
{
	static const char *const addresses[2][3] = {{"10.0.0.1", "10.0.0.2", "10.0.0.3"},
						    {"10.9.0.3", "10.9.0.2", "10.9.0.1"}};
	static const char *const names[2][3] = {{"a", "b", "c"}, {"c", "a", "b"}};
	uint16_t slots[2][251];

	for (int round = 0; round < 2; round++) {
		struct gpc_backend_intent *web;
		struct gpc_image image;
		struct fixture f;
		uint32_t count;

		fixture_init(&f);
		fixture_interface(&f, "wan0");
		web = fixture_backend(&f, "web");
		web->table_size = fixture_number(&f, 251);
		for (int i = 0; i < 3; i++)
			fixture_endpoint(&f, web, names[round][i], addresses[round][i], NULL);
		fixture_listener(&f, round ? "x" : "y", "192.0.2.1", IPPROTO_TCP, 80, "web");
		open_fixture(&f, &image);
		memcpy(slots[round], gpc_image_section(&image, GPC_SEC_MAGLEV, &count),
		       sizeof(slots[0]));
		CU_ASSERT_EQUAL(count, 251);
		gpc_image_release(&image);
		fixture_release(&f);
	}
	CU_ASSERT_EQUAL(memcmp(slots[0], slots[1], sizeof(slots[0])), 0);
}

/* Two endpoints of one id, which the model refuses, stand for keys that no seed tells apart. */
static void keys_without_a_perfect_hash_are_refused(void)
{
	struct gpc_tables tables = {.maglev_count = 7};
	struct gpc_model model;
	struct fixture f;

	fixture_small_plane(&f);
	CU_ASSERT_FATAL(gpc_model_build(&f.diags, &f.intent, &model));
	model.endpoints[1].id = model.endpoints[0].id;
	CU_ASSERT_FALSE(gpc_lower(&f.diags, &model, NULL, &tables));
	CU_ASSERT_PTR_NOT_NULL(fixture_find(&f, GPC_E0411));
	CU_ASSERT_EQUAL(tables.maglev_count, 7);
	fixture_release(&f);
}

GPC_UNIT_MAIN("lower/lower",
	      {"listeners_are_found_on_their_interfaces_only",
	       listeners_are_found_on_their_interfaces_only},
	      {"addresses_of_listeners_are_known_without_a_port",
	       addresses_of_listeners_are_known_without_a_port},
	      {"a_plane_without_listeners_answers_no", a_plane_without_listeners_answers_no},
	      {"tables_hold_who_takes_flows_and_can_be_reached",
	       tables_hold_who_takes_flows_and_can_be_reached},
	      {"listeners_with_the_same_endpoints_share_a_table",
	       listeners_with_the_same_endpoints_share_a_table},
	      {"one_table_serves_both_families_when_all_have_v6",
	       one_table_serves_both_families_when_all_have_v6},
	      {"a_backend_that_takes_no_flows_has_no_table",
	       a_backend_that_takes_no_flows_has_no_table},
	      {"a_table_depends_on_ids_and_weights_alone",
	       a_table_depends_on_ids_and_weights_alone},
	      {"keys_without_a_perfect_hash_are_refused", keys_without_a_perfect_hash_are_refused})
