/* SPDX-License-Identifier: MIT */
/* What the golden cases of 03xx do not show: the borders of the rules, where nothing may be said. */
#include "../../unit.h"
#include "../fixture.h"

static struct gpc_backend_intent *start(struct fixture *f)
{
	fixture_init(f);
	fixture_interface(f, "wan0");
	fixture_interface(f, "wan1");
	return fixture_backend(f, "web");
}

static void expect_nothing(struct fixture *f)
{
	struct gpc_image_bytes image;

	CU_ASSERT(fixture_compile(f, &image));
	for (size_t i = 0; i < f->diags.records.n; i++)
		printf("unexpected: %s\n", f->diags.records.items[i].message);
	CU_ASSERT_EQUAL(f->diags.records.n, 0);
	fixture_release(f);
}

static void equal_keys_on_disjoint_interfaces_are_no_conflict(void)
{
	struct fixture f;
	struct gpc_listener_intent *listener;

	fixture_endpoint(&f, start(&f), "a", "10.0.0.1", NULL);
	listener = fixture_listener(&f, "one", "192.0.2.1", IPPROTO_TCP, 80, "web");
	*GPC_PUSH(&f.arena, &listener->interfaces) = fixture_text(&f, "wan0");
	listener = fixture_listener(&f, "two", "192.0.2.1", IPPROTO_TCP, 80, "web");
	*GPC_PUSH(&f.arena, &listener->interfaces) = fixture_text(&f, "wan1");
	expect_nothing(&f);
}

static void another_port_protocol_or_address_is_no_conflict(void)
{
	struct fixture f;

	fixture_endpoint(&f, start(&f), "a", "10.0.0.1", NULL);
	fixture_listener(&f, "one", "192.0.2.1", IPPROTO_TCP, 80, "web");
	fixture_listener(&f, "two", "192.0.2.1", IPPROTO_UDP, 80, "web");
	fixture_listener(&f, "three", "192.0.2.1", IPPROTO_TCP, 81, "web");
	fixture_listener(&f, "four", "192.0.2.2", IPPROTO_TCP, 80, "web");
	expect_nothing(&f);
}

static void dsr_takes_any_family(void)
{
	struct fixture f;
	struct gpc_backend_intent *web = start(&f);

	fixture_endpoint(&f, web, "a", "10.0.0.1", NULL);
	fixture_endpoint(&f, web, "b", "2001:db8:1::1", NULL);
	fixture_listener(&f, "four", "192.0.2.1", IPPROTO_TCP, 80, "web")->forward =
		fixture_number(&f, GPC_FORWARD_DSR);
	fixture_listener(&f, "six", "2001:db8::1", IPPROTO_TCP, 80, "web")->forward =
		fixture_number(&f, GPC_FORWARD_DSR);
	expect_nothing(&f);
}

static void ipip_from_v4_takes_any_family(void)
{
	struct fixture f;
	struct gpc_backend_intent *web = start(&f);

	fixture_endpoint(&f, web, "a", "10.0.0.1", NULL);
	fixture_endpoint(&f, web, "b", "2001:db8:1::1", NULL);
	fixture_listener(&f, "four", "192.0.2.1", IPPROTO_TCP, 80, "web");
	expect_nothing(&f);
}

static void sizes_at_the_limits_are_taken(void)
{
	struct fixture f;
	struct gpc_backend_intent *web = start(&f);

	fixture_endpoint(&f, web, "a", "10.0.0.1", NULL);
	web->table_size = fixture_number(&f, GPC_MIN_TABLE_SIZE);
	fixture_listener(&f, "four", "192.0.2.1", IPPROTO_TCP, 80, "web");
	web = fixture_backend(&f, "large");
	fixture_endpoint(&f, web, "a", "10.0.0.2", NULL);
	web->table_size = fixture_number(&f, GPC_MAX_TABLE_SIZE);
	fixture_listener(&f, "five", "192.0.2.2", IPPROTO_TCP, 80, "large");
	expect_nothing(&f);
}

static void a_gateway_may_be_link_local(void)
{
	struct fixture f;
	struct gpc_backend_intent *web = start(&f);

	fixture_endpoint(&f, web, "a", "2001:db8:1::1", NULL);
	web->next_hop = fixture_number(&f, GPC_NEXT_HOP_ADDRESS);
	web->next_hop_address = fixture_address(&f, "fe80::1");
	fixture_listener(&f, "six", "2001:db8::1", IPPROTO_TCP, 80, "web");
	expect_nothing(&f);
}

static void a_decap_plane_of_a_listener_is_complete(void)
{
	struct fixture f;

	fixture_endpoint(&f, start(&f), "a", "10.0.0.1", NULL);
	fixture_interface(&f, "tun0")->role = fixture_number(&f, GPC_ROLE_DECAP);
	fixture_listener(&f, "four", "192.0.2.1", IPPROTO_TCP, 80, "web");
	expect_nothing(&f);
}

GPC_UNIT_MAIN("check/check",
	      {"equal_keys_on_disjoint_interfaces_are_no_conflict",
	       equal_keys_on_disjoint_interfaces_are_no_conflict},
	      {"another_port_protocol_or_address_is_no_conflict",
	       another_port_protocol_or_address_is_no_conflict},
	      {"dsr_takes_any_family", dsr_takes_any_family},
	      {"ipip_from_v4_takes_any_family", ipip_from_v4_takes_any_family},
	      {"sizes_at_the_limits_are_taken", sizes_at_the_limits_are_taken},
	      {"a_gateway_may_be_link_local", a_gateway_may_be_link_local},
	      {"a_decap_plane_of_a_listener_is_complete", a_decap_plane_of_a_listener_is_complete})
