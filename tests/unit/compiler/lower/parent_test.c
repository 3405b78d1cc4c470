/* SPDX-License-Identifier: MIT */
/* `rebalance: minimal`: tables of an image made from those of the image before. */
#include <stdarg.h>
#include <string.h>

#include "../../unit.h"
#include "base/memfiles.h"
#include "image/image_file.h"
#include "pipeline.h"

#define HEAD                                                                                       \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: edge%s}\ninterfaces: [{name: wan0}]\n"
#define V4 "  - {name: four, address: 192.0.2.1, protocol: TCP, port: 80, backend: web}\n"
#define V6 "  - {name: six, address: \"2001:db8::1\", protocol: TCP, port: 80, backend: web}\n"

struct plane {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_image image;
	bool good;
};

/* Compiles a plane of one backend; `parent` NULL: none. */
static void compile(struct plane *p, const struct plane *parent, const char *metadata,
		    const char *backend, const char *listeners)
{
	static const char *const path = "gpc.yaml";
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL},
					      .tool_version = "test",
					      .parent = parent ? &parent->image.view : NULL};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compiled compiled;
	const char *text;

	memset(p, 0, sizeof(*p));
	gpc_diags_init(&p->diags, &p->arena, false);
	gpc_memfiles_init(&files, &p->arena);
	text = gpc_arena_printf(&p->arena, HEAD "backends: [{name: web, %s}]\nlisteners:\n%s", metadata,
				backend, listeners);
	gpc_memfiles_add(&files, path, text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	p->good = gpc_compile(&p->diags, &provider, &options, &compiled) &&
		  gpc_image_open(&p->diags, path, compiled.bytes, compiled.size, false, &p->image);
}

static void release(struct plane *p)
{
	if (p->good)
		gpc_image_release(&p->image);
	gpc_arena_release(&p->arena);
}

static bool same(const struct plane *a, const struct plane *b)
{
	return a->good && b->good &&
	       !memcmp(a->image.head->decision_digest, b->image.head->decision_digest, 32);
}

static bool said(const struct plane *p, enum gpc_code code)
{
	for (size_t i = 0; i < p->diags.records.n; i++)
		if (p->diags.records.items[i].code == code)
			return true;
	return false;
}

/* The id of the endpoint that has a slot of the family's table of the first listener. */
static uint64_t holder(const struct plane *p, enum gpc_family family, uint32_t slot)
{
	uint32_t count;
	const struct gpc_listener *listener =
		gpc_image_section(&p->image, GPC_SEC_LISTENER, &count);
	const struct gpc_endpoint *endpoints =
		gpc_image_section(&p->image, GPC_SEC_ENDPOINT, &count);
	const struct gpc_table_ref *ref = &listener->table[family];
	const uint16_t *slots = (const void *)(p->image.bytes + ref->offset);

	return endpoints[ref->first_endpoint + slots[slot]].id;
}

static unsigned int moved(const struct plane *a, const struct plane *b, enum gpc_family family)
{
	unsigned int n = 0;

	for (uint32_t slot = 0; slot < 251; slot++)
		n += holder(a, family, slot) != holder(b, family, slot);
	return n;
}

#define THREE "table-size: 251, endpoints: [{name: a, address: 10.0.0.1}, {name: b, address: 10.0.0.2}, {name: c, address: 10.0.0.3}]"
#define WITHOUT_B "table-size: 251, endpoints: [{name: a, address: 10.0.0.1}, {name: c, address: 10.0.0.3}]"
#define MINIMAL "rebalance: minimal, "
#define LARGER "table-size: 509, endpoints: [{name: a, address: 10.0.0.1}, {name: b, address: 10.0.0.2}, {name: c, address: 10.0.0.3}]"

static void only_the_slots_of_the_one_that_went_move(void)
{
	struct plane before, after, fresh, again;

	compile(&before, NULL, "", THREE, V4);
	compile(&after, &before, "", MINIMAL WITHOUT_B, V4);
	compile(&again, &before, "", MINIMAL WITHOUT_B, V4);
	compile(&fresh, NULL, "", MINIMAL WITHOUT_B, V4);
	CU_ASSERT_FATAL(before.good && after.good && again.good && fresh.good);
	CU_ASSERT(moved(&before, &after, GPC_V4) <= 84);
	CU_ASSERT(moved(&before, &fresh, GPC_V4) > 84);
	CU_ASSERT(same(&after, &again));
	CU_ASSERT(!same(&after, &fresh));
	CU_ASSERT(!after.diags.records.n);
	CU_ASSERT(said(&fresh, GPC_W0452));
	release(&before);
	release(&after);
	release(&again);
	release(&fresh);
}

static void a_parent_changes_nothing_of_backends_that_are_made_fresh(void)
{
	struct plane before, with, without;

	compile(&before, NULL, "", THREE, V4);
	compile(&with, &before, "", WITHOUT_B, V4);
	compile(&without, NULL, "", WITHOUT_B, V4);
	CU_ASSERT(same(&with, &without));
	CU_ASSERT(!without.diags.records.n);
	release(&before);
	release(&with);
	release(&without);
}

static void the_same_set_moves_nothing_and_a_table_of_another_size_is_fresh(void)
{
	struct plane before, unmoved, resized, fresh;

	compile(&before, NULL, "", MINIMAL THREE, V4);
	compile(&unmoved, &before, "", MINIMAL THREE, V4);
	compile(&resized, &before, "", MINIMAL LARGER, V4);
	compile(&fresh, NULL, "", MINIMAL LARGER, V4);
	CU_ASSERT(same(&before, &unmoved));
	CU_ASSERT(same(&resized, &fresh));
	CU_ASSERT(said(&resized, GPC_W0451));
	release(&before);
	release(&unmoved);
	release(&resized);
	release(&fresh);
}

static void what_the_parent_does_not_have_is_made_fresh(void)
{
	struct plane drained, empty, fresh;

	compile(&drained, NULL, "", "table-size: 251, endpoints: [{name: a, address: 10.0.0.1, state: drain}]", V4);
	compile(&empty, &drained, "", MINIMAL THREE, V4);
	compile(&fresh, NULL, "", MINIMAL THREE, V4);
	CU_ASSERT(same(&empty, &fresh));
	CU_ASSERT(!said(&empty, GPC_W0452) && !said(&empty, GPC_W0451));
	release(&drained);
	release(&empty);
	release(&fresh);
}

#define DUAL(name, n) "{name: " name ", address: [10.0.0." n ", \"2001:db8:1::" n "\"]}"
#define TWO_DUAL "table-size: 251, endpoints: [" DUAL("a", "1") ", " DUAL("b", "2") ", " DUAL("c", "3") "]"
#define MIXED                                                                                      \
	"table-size: 251, endpoints: [" DUAL("a", "1") ", " DUAL("c", "3") ", {name: d, address: 10.0.0.4}]"

/* The parent has one table for both families, the new plane one for each. */
static void each_family_goes_on_from_the_table_that_its_flows_used(void)
{
	struct plane before, after, six, both;

	compile(&before, NULL, "", TWO_DUAL, V4 V6);
	compile(&after, &before, "", MINIMAL MIXED, V4);
	compile(&six, &before, "", MINIMAL MIXED, V6);
	CU_ASSERT_FATAL(before.good && after.good && six.good);
	for (uint32_t slot = 0; slot < 251; slot++) {
		uint64_t was = holder(&before, GPC_V4, slot), b = holder(&after, GPC_V4, slot);

		CU_ASSERT(was == b || b != holder(&six, GPC_V6, slot));
	}
	/* A family that is new goes on from the other's table. */
	compile(&both, &six, "", MINIMAL TWO_DUAL, V4);
	CU_ASSERT_FATAL(both.good);
	for (uint32_t slot = 0, stayed = 0; slot < 251; slot++) {
		stayed += holder(&six, GPC_V6, slot) == holder(&both, GPC_V4, slot);
		CU_ASSERT(slot < 250 || stayed >= 251 * 2 / 3);
	}
	release(&before);
	release(&after);
	release(&six);
	release(&both);
}

static void a_parent_that_the_plane_does_not_name_is_refused(void)
{
	struct plane before, named, other;
	char digest[65], metadata[80];

	compile(&before, NULL, "", THREE, V4);
	snprintf(metadata, sizeof(metadata), ", parent: %s",
		 gpc_digest_format(before.image.head->decision_digest, digest));
	compile(&named, &before, metadata, MINIMAL WITHOUT_B, V4);
	CU_ASSERT(named.good);
	compile(&other, &named, metadata, MINIMAL WITHOUT_B, V4);
	CU_ASSERT(!other.good && said(&other, GPC_E0450));
	release(&before);
	release(&named);
	release(&other);
}

GPC_UNIT_MAIN("lower/parent",
	      {"only_the_slots_of_the_one_that_went_move", only_the_slots_of_the_one_that_went_move},
	      {"a_parent_changes_nothing_of_backends_that_are_made_fresh",
	       a_parent_changes_nothing_of_backends_that_are_made_fresh},
	      {"the_same_set_moves_nothing_and_a_table_of_another_size_is_fresh",
	       the_same_set_moves_nothing_and_a_table_of_another_size_is_fresh},
	      {"what_the_parent_does_not_have_is_made_fresh",
	       what_the_parent_does_not_have_is_made_fresh},
	      {"each_family_goes_on_from_the_table_that_its_flows_used",
	       each_family_goes_on_from_the_table_that_its_flows_used},
	      {"a_parent_that_the_plane_does_not_name_is_refused",
	       a_parent_that_the_plane_does_not_name_is_refused})
