/* SPDX-License-Identifier: MIT */
#include "../../unit.h"
#include "balancing_fixture.h"
#include "image_tools.h"

#define MOST 8

struct compared {
	struct fixture fixture;
	struct gpc_image image;
	uint8_t *other; /* the same bytes, to be damaged */
	struct gpc_image_difference found[MOST];
	size_t count;
};

static void start_with(struct compared *c, uint8_t *(*make)(size_t *ret_size))
{
	size_t size;

	gpc_diags_init(&c->fixture.diags, &c->fixture.arena, false);
	c->other = make(&size);
	CU_ASSERT_FATAL(
		gpc_image_open(&c->fixture.diags, "a.gpi", c->other, size, false, &c->image));
}

static void start(struct compared *c)
{
	start_with(c, small_image);
}

static void compare(struct compared *c, size_t size)
{
	struct gpc_image_comparison comparison = {"image", "kernel", c->found, MOST};

	c->count = gpc_image_compare(&c->image, c->other, size, &comparison);
}

static void end(struct compared *c)
{
	gpc_image_release(&c->image);
	fixture_release(&c->fixture);
	free(c->other);
}

static uint8_t *balancing_image(size_t *ret_size)
{
	return image_of(fixture_balancing_plane, ret_size);
}

static void equal_bytes_have_no_difference(void)
{
	struct compared c = {0};

	start(&c);
	compare(&c, c.image.size);
	CU_ASSERT_EQUAL(c.count, 0);
	end(&c);
}

static void the_link_part_does_not_count(void)
{
	struct compared c = {0};

	start(&c);
	memset(c.other + c.image.head->link_offset, 0xff, c.image.head->link_size);
	compare(&c, c.image.size);
	CU_ASSERT_EQUAL(c.count, 0);
	end(&c);
}

/* Table 0 is game's: two endpoints. */
static void a_maglev_slot_is_named_with_both_endpoints(void)
{
	struct compared c = {0};
	const char *path;
	uint32_t line, column;
	uint16_t *slots;
	bool first;

	start(&c);
	slots = section_of(c.other, GPC_SEC_MAGLEV);
	first = !strcmp(gpc_image_name(&c.image, gpc_endpoint_at(c.image.view, slots[17])->name),
			"g-1");
	slots[17] = !slots[17];
	slots[18] = 40000;
	compare(&c, c.image.size);
	CU_ASSERT_EQUAL_FATAL(c.count, 2);
	CU_ASSERT_STRING_EQUAL(c.found[0].what,
			       first ? "maglev slot 17 of backend `game`: image g-1, kernel g-2"
				     : "maglev slot 17 of backend `game`: image g-2, kernel g-1");
	CU_ASSERT_PTR_NOT_NULL(strstr(c.found[1].what, "kernel 40000 (no endpoint)"));
	CU_ASSERT_FATAL(gpc_image_place(&c.image, &c.fixture.arena, c.found[0].object, &path, &line,
					&column));
	CU_ASSERT_STRING_EQUAL(path, "plane.yaml");
	end(&c);
}

static void a_record_is_named_with_its_field(void)
{
	struct compared c = {0};

	start(&c);
	((struct gpc_listener *)section_of(c.other, GPC_SEC_LISTENER))->port_be = 0x5000;
	((struct gpc_endpoint *)section_of(c.other, GPC_SEC_ENDPOINT))[0].weight = 9;
	compare(&c, c.image.size);
	CU_ASSERT_EQUAL_FATAL(c.count, 2);
	CU_ASSERT_STRING_EQUAL(c.found[0].what,
			       "listener `game-udp` field port_be: image 6978, kernel 0050");
	CU_ASSERT_EQUAL(c.found[0].object, gpc_stable_id("listener", NULL, "game-udp"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(c.found[1].what, "of backend `game` field weight: image 0100, kernel 0900"));
	end(&c);
}

static void every_single_byte_is_found(void)
{
	struct compared c = {0};

	start(&c);
	for (size_t i = 0; i < c.image.head->link_offset; i++) {
		c.other[i] ^= 0x40;
		compare(&c, c.image.size);
		CU_ASSERT_EQUAL_FATAL(c.count, 1);
		c.other[i] ^= 0x40;
	}
	end(&c);
}

static void more_differences_than_asked_for_are_counted(void)
{
	struct compared c = {0};
	uint16_t *slots;

	start(&c);
	slots = section_of(c.other, GPC_SEC_MAGLEV);
	for (int i = 0; i < 100; i++)
		slots[i] ^= 1;
	compare(&c, c.image.size);
	CU_ASSERT_EQUAL(c.count, 100);
	end(&c);
}

static void missing_bytes_are_one_difference(void)
{
	struct compared c = {0};

	start(&c);
	compare(&c, 100);
	CU_ASSERT_EQUAL(c.count, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(c.found[0].what, "kernel 100"));
	end(&c);
}

static void policies_and_rules_are_named(void)
{
	struct compared c = {0};
	struct gpc_classifier *classifiers;
	struct gpc_policy *policies;
	struct gpc_chain *chains;
	struct gpc_rule *rules;

	start_with(&c, policed_image);
	chains = section_of(c.other, GPC_SEC_CHAIN);
	policies = section_of(c.other, GPC_SEC_POLICY);
	classifiers = section_of(c.other, GPC_SEC_CLASSIFIER);
	rules = section_of(c.other, GPC_SEC_RULE);
	chains[0].tag ^= 1;
	policies[1].mode = GPC_POLICY_ENFORCE;
	classifiers[0].groups ^= 1;
	rules[GPC_BUILTIN_RA].action = GPC_ACTION_DENY;
	rules[6].flags = 0;
	rules[9].action = GPC_ACTION_DENY;
	rules[11].mark = 1;
	compare(&c, c.image.size);
	CU_ASSERT_EQUAL_FATAL(c.count, 7);
	CU_ASSERT_PTR_NOT_NULL(strstr(c.found[0].what, "ingress chain of interface `lan*` field tag: "));
	CU_ASSERT_STRING_EQUAL(c.found[1].what, "policy `watch` field mode: image audit, kernel enforce");
	CU_ASSERT_PTR_NOT_NULL(strstr(c.found[2].what, "classifier 0 of policy `guard` field groups: "));
	CU_ASSERT_STRING_EQUAL(c.found[3].what, "built-in rule `ra` field action: image allow, kernel deny");
	CU_ASSERT_PTR_NOT_NULL(strstr(c.found[4].what, "protect `mgmt` field flags: "));
	CU_ASSERT_STRING_EQUAL(c.found[5].what,
			       "rule `ssh` of policy `guard` field action: image allow, kernel deny");
	CU_ASSERT_EQUAL(c.found[5].object, rules[9].id);
	CU_ASSERT_STRING_EQUAL(c.found[6].what, "rule `low` of policy `guard` field mark: "
						"image 00000000, kernel 01000000");
	end(&c);
}

static void pools_and_server_ids_are_named(void)
{
	struct compared c = {0};
	struct gpc_pool *pools;
	struct gpc_quic *quics;
	uint32_t *indexes, entry = 0, server = 0;

	start_with(&c, balancing_image);
	pools = section_of(c.other, GPC_SEC_POOL);
	quics = section_of(c.other, GPC_SEC_QUIC);
	indexes = section_of(c.other, GPC_SEC_EP_INDEX);
	while (!quics[server].endpoint)
		server++;
	while (!indexes[entry])
		entry++;
	pools[GUE_WEB].until = 3;
	pools[HTTP_SPARE].failover = 0;
	indexes[entry]++;
	quics[server].backend = 7;
	compare(&c, c.image.size);
	CU_ASSERT_EQUAL_FATAL(c.count, 4);
	CU_ASSERT_STRING_EQUAL(c.found[0].what, "backend `web` of listener `gue` field until: "
						"image 04000000, kernel 03000000");
	CU_ASSERT_EQUAL(c.found[0].object, gpc_stable_id("listener", NULL, "gue"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(c.found[1].what, "backend `spare` of listener `http` field failover: "));
	CU_ASSERT_EQUAL(strncmp(c.found[2].what, "index of endpoint `", 19), 0);
	CU_ASSERT_NOT_EQUAL(c.found[2].object, 0);
	CU_ASSERT_EQUAL(strncmp(c.found[3].what, "quic server id of endpoint `", 28), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(c.found[3].what, "` of backend `quic` field backend: "));
	end(&c);
}

static void ports_are_named_by_their_listener(void)
{
	struct compared c = {0};
	struct gpc_vip_ports *ports;

	start_with(&c, balancing_image);
	ports = section_of(c.other, GPC_SEC_VIP_PORTS);
	ports[1].first ^= 1;
	compare(&c, c.image.size);
	CU_ASSERT_EQUAL_FATAL(c.count, 1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(c.found[0].what, "vip-ports entry 1 of listener `pass` field first: "));
	end(&c);
}

GPC_UNIT_MAIN("image/compare", {"equal_bytes_have_no_difference", equal_bytes_have_no_difference},
	      {"the_link_part_does_not_count", the_link_part_does_not_count},
	      {"a_maglev_slot_is_named_with_both_endpoints",
	       a_maglev_slot_is_named_with_both_endpoints},
	      {"a_record_is_named_with_its_field", a_record_is_named_with_its_field},
	      {"every_single_byte_is_found", every_single_byte_is_found},
	      {"more_differences_than_asked_for_are_counted",
	       more_differences_than_asked_for_are_counted},
	      {"missing_bytes_are_one_difference", missing_bytes_are_one_difference},
	      {"policies_and_rules_are_named", policies_and_rules_are_named},
	      {"pools_and_server_ids_are_named", pools_and_server_ids_are_named},
	      {"ports_are_named_by_their_listener", ports_are_named_by_their_listener})
