/* SPDX-License-Identifier: MIT */
#include "../../unit.h"
#include "../fixture.h"
#include "model/id.h"

static bool build(struct fixture *fixture, struct gpc_model *model)
{
	return gpc_model_build(&fixture->diags, &fixture->intent, model);
}

/* Values computed with sha256sum over the bytes that SEMANTICS 1 names. */
static void stable_ids_are_those_of_the_semantics(void)
{
	CU_ASSERT_EQUAL(gpc_stable_id("backend", NULL, "web"), 0x1c037aea44e66353ull);
	CU_ASSERT_EQUAL(gpc_stable_id("endpoint", "web", "web-1"), 0xbc515015e4dd5aabull);
}

static void objects_stand_by_name_and_endpoints_by_id(void)
{
	struct fixture f;
	struct gpc_model model;

	fixture_small_plane(&f);
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_STRING_EQUAL(model.backends[0].name, "game");
	CU_ASSERT_STRING_EQUAL(model.backends[1].name, "web");
	CU_ASSERT_STRING_EQUAL(model.listeners[0].name, "game-udp");
	CU_ASSERT_STRING_EQUAL(model.listeners[1].name, "https");
	CU_ASSERT_STRING_EQUAL(model.listeners[2].name, "https-inside");
	CU_ASSERT_STRING_EQUAL(model.interfaces[0].name, "lan*");
	CU_ASSERT_STRING_EQUAL(model.interfaces[1].name, "wan0");
	CU_ASSERT_EQUAL(model.backends[1].first_endpoint, 2);
	CU_ASSERT_EQUAL(model.endpoint_count, 6);
	for (size_t i = 0; i < model.endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint = &model.endpoints[i];

		CU_ASSERT_EQUAL(endpoint->id,
				gpc_stable_id("endpoint", model.backends[endpoint->backend].name,
					      endpoint->name));
		if (i && endpoint->backend == endpoint[-1].backend)
			CU_ASSERT(endpoint->id > endpoint[-1].id);
	}
	fixture_release(&f);
}

static void defaults_are_those_of_the_semantics(void)
{
	struct fixture f;
	struct gpc_model model;
	uint8_t seed[32];

	fixture_small_plane(&f);
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT(model.malformed_drop);
	CU_ASSERT_FALSE(model.non_ip_drop);
	CU_ASSERT_FALSE(model.on_fail_drop);
	CU_ASSERT_EQUAL(model.flows, 1048576);
	CU_ASSERT_EQUAL(model.flow_inserts, 1048576 / 60);
	CU_ASSERT_EQUAL(model.timeout[GPC_TIMEOUT_ESTABLISHED], 7440);
	CU_ASSERT_EQUAL(model.timeout[GPC_TIMEOUT_UDP_NEW], 30);
	gpc_identity_digest("seed", NULL, "test", seed);
	CU_ASSERT_EQUAL(memcmp(model.hash_seed, seed, 16), 0);
	CU_ASSERT_EQUAL(model.interfaces[0].mode, GPC_MODE_NATIVE);
	CU_ASSERT_EQUAL(model.interfaces[0].role, GPC_ROLE_EDGE);
	CU_ASSERT_EQUAL(model.interfaces[0].hooks, GPC_HOOK_XDP);
	CU_ASSERT(model.interfaces[0].pattern);
	CU_ASSERT_FALSE(model.interfaces[1].pattern);
	CU_ASSERT_EQUAL(model.backends[0].table_size, 251);
	CU_ASSERT_EQUAL(model.backends[0].next_hop, GPC_NEXT_HOP_AUTO);
	CU_ASSERT_EQUAL(model.endpoints[0].weight, 1);
	CU_ASSERT_EQUAL(model.endpoints[0].state, GPC_STATE_READY);
	CU_ASSERT_EQUAL(model.listeners[1].forward, GPC_FORWARD_IPIP);
	fixture_release(&f);
}

static void flow_inserts_follow_flows(void)
{
	struct fixture f;
	struct gpc_model model;

	fixture_small_plane(&f);
	f.intent.defaults.flows = fixture_number(&f, 6000);
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL(model.flow_inserts, 100);
	fixture_release(&f);
}

static void listeners_exist_on_interfaces_with_xdp_and_role_edge(void)
{
	struct fixture f;
	struct gpc_model model;
	struct gpc_listener_intent *one;

	fixture_init(&f);
	fixture_interface(&f, "a");
	fixture_interface(&f, "b")->hooks = fixture_number(&f, GPC_HOOK_TC_INGRESS);
	fixture_interface(&f, "c")->role = fixture_number(&f, GPC_ROLE_DECAP);
	fixture_interface(&f, "d")->hooks = fixture_number(&f, GPC_HOOK_XDP | GPC_HOOK_TC_EGRESS);
	fixture_endpoint(&f, fixture_backend(&f, "web"), "a", "10.0.0.1", NULL);
	fixture_listener(&f, "all", "192.0.2.1", IPPROTO_TCP, 80, "web");
	one = fixture_listener(&f, "one", "192.0.2.2", IPPROTO_TCP, 80, "web");
	*GPC_PUSH(&f.arena, &one->interfaces) = fixture_text(&f, "d");
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL(model.listeners[0].interfaces, 0x9);
	CU_ASSERT_EQUAL(model.listeners[1].interfaces, 0x8);
	CU_ASSERT_EQUAL(model.listeners[1].use_count, 1);
	fixture_release(&f);
}

static void addresses_of_a_listener_are_sorted_and_distinct(void)
{
	struct fixture f;
	struct gpc_listener_intent *listener;
	struct gpc_model model;
	char text[GPC_IP_TEXT];

	fixture_init(&f);
	fixture_interface(&f, "a");
	fixture_endpoint(&f, fixture_backend(&f, "web"), "a", "10.0.0.1", "2001:db8:1::1");
	listener = fixture_listener(&f, "l", "2001:db8::2", IPPROTO_TCP, 80, "web");
	*GPC_PUSH(&f.arena, &listener->addresses) = fixture_address(&f, "192.0.2.1");
	*GPC_PUSH(&f.arena, &listener->addresses) = fixture_address(&f, "2001:db8:0::2");
	CU_ASSERT_FATAL(build(&f, &model));
	CU_ASSERT_EQUAL_FATAL(model.listeners[0].address_count, 2);
	CU_ASSERT_STRING_EQUAL(gpc_ip_format(&model.listeners[0].addresses[0].prefix.ip, text),
			       "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(gpc_ip_format(&model.listeners[0].addresses[1].prefix.ip, text),
			       "2001:db8::2");
	CU_ASSERT_EQUAL(model.listeners[0].repeated_at.start,
			listener->addresses.items[2].at.start);
	fixture_release(&f);
}

static void unknown_names_are_refused_with_the_nearest(void)
{
	struct fixture f;
	struct gpc_model model;
	struct gpc_listener_intent *listener;
	const struct gpc_diag *diag;

	fixture_small_plane(&f);
	listener = fixture_listener(&f, "x", "192.0.2.9", IPPROTO_TCP, 80, "gmae");
	*GPC_PUSH(&f.arena, &listener->interfaces) = fixture_text(&f, "wan9");
	CU_ASSERT_FALSE(build(&f, &model));
	diag = fixture_find(&f, GPC_E0301);
	CU_ASSERT_PTR_NOT_NULL_FATAL(diag);
	CU_ASSERT_STRING_EQUAL(diag->hint, "did you mean `game`?");
	CU_ASSERT_EQUAL(diag->places[0].place.start, listener->backend.at.start);
	diag = fixture_find(&f, GPC_E0302);
	CU_ASSERT_PTR_NOT_NULL_FATAL(diag);
	CU_ASSERT_STRING_EQUAL(diag->hint, "did you mean `wan0`?");
	fixture_release(&f);
}

/* Two objects of one kind and name stand for a collision, which cannot be found by trying. */
static void equal_ids_are_refused_with_both_places(void)
{
	struct fixture f;
	struct gpc_model model;
	const struct gpc_diag *diag;

	fixture_small_plane(&f);
	fixture_endpoint(&f, &f.intent.backends.items[1], "g-1", "10.9.9.9", NULL);
	CU_ASSERT_FALSE(build(&f, &model));
	diag = fixture_find(&f, GPC_E0409);
	CU_ASSERT_PTR_NOT_NULL_FATAL(diag);
	CU_ASSERT_EQUAL(diag->place_count, 2);
	fixture_release(&f);
}

static void more_endpoints_than_a_plane_can_have_are_refused(void)
{
	struct fixture f;
	struct gpc_model model;

	fixture_init(&f);
	for (int b = 0; b < 5; b++) {
		struct gpc_backend_intent *backend =
			fixture_backend(&f, gpc_arena_printf(&f.arena, "b%d", b));

		for (uint32_t e = 0; e <= GPC_MAX_ENDPOINTS / 5; e++) {
			struct gpc_endpoint_intent *endpoint =
				GPC_PUSH(&f.arena, &backend->endpoints);

			endpoint->name.text = gpc_arena_printf(&f.arena, "e%u", e);
		}
	}
	CU_ASSERT_FALSE(build(&f, &model));
	CU_ASSERT_PTR_NOT_NULL(fixture_find(&f, GPC_E0404));
	fixture_release(&f);
}

GPC_UNIT_MAIN("model/model",
	      {"stable_ids_are_those_of_the_semantics", stable_ids_are_those_of_the_semantics},
	      {"objects_stand_by_name_and_endpoints_by_id",
	       objects_stand_by_name_and_endpoints_by_id},
	      {"defaults_are_those_of_the_semantics", defaults_are_those_of_the_semantics},
	      {"flow_inserts_follow_flows", flow_inserts_follow_flows},
	      {"listeners_exist_on_interfaces_with_xdp_and_role_edge",
	       listeners_exist_on_interfaces_with_xdp_and_role_edge},
	      {"addresses_of_a_listener_are_sorted_and_distinct",
	       addresses_of_a_listener_are_sorted_and_distinct},
	      {"unknown_names_are_refused_with_the_nearest",
	       unknown_names_are_refused_with_the_nearest},
	      {"equal_ids_are_refused_with_both_places", equal_ids_are_refused_with_both_places},
	      {"more_endpoints_than_a_plane_can_have_are_refused",
	       more_endpoints_than_a_plane_can_have_are_refused})
