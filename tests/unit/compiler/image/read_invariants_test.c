/* SPDX-License-Identifier: MIT */
/* The reader trusts neither an invariant nor the sets, services and boxes that it names. */
#include "../../unit.h"
#include "image_tools.h"

static const char plane[] =
	"apiVersion: gpc/v1\n"
	"kind: Plane\n"
	"metadata: {name: proved}\n"
	"interfaces: [{name: wan0, hooks: [xdp, tc-egress]}]\n"
	"segments:\n"
	"  - {name: app, cidrs: [10.0.1.0/24, 10.0.3.0/24, '2001:db8:1::/64']}\n"
	"  - {name: db, cidrs: [10.0.9.0/28]}\n"
	"backends: [{name: web, table-size: 11, endpoints: [{name: a, address: 10.0.1.11}]}]\n"
	"listeners: [{name: h, address: 203.0.113.10, protocol: TCP, port: 443, backend: web}]\n"
	"invariants:\n"
	"  - {name: a-limits, memory: 64Mi}\n"
	"  - {name: b-never, never: {from: app, to: db, ports: [tcp/22, udp/53], out: wan0}}\n"
	"  - {name: c-only, only: {from: app, to: db, ports: [tcp/5432]}}\n"
	"  - {name: d-remap, remap: {backend: web, max: 12.5%}}\n";

enum { LIMITS, NEVER, ONLY, REMAP };

/* The first set begins behind the two counts: its number of ranges, then the first range. */
#define FIRST_SET 2

/* Does the reader refuse the image with this change? Digests are made right. */
static bool refuses(void (*change)(struct gpc_invariant *records, uint32_t *words))
{
	size_t size;
	uint8_t *bytes = image_of_text(plane, &size);
	enum gpc_code code;

	change(section_of(bytes, GPC_SEC_INVARIANT), section_of(bytes, GPC_SEC_INVARIANT_WORDS));
	fix_digests(bytes);
	code = code_of(bytes, size, false);
	free(bytes);
	return code == GPC_E0509;
}

#define CHANGE(name, ...)                                                                          \
	static void name(struct gpc_invariant *r, uint32_t *w)                                     \
	{                                                                                          \
		(void)r;                                                                           \
		(void)w;                                                                           \
		__VA_ARGS__;                                                                       \
	}

CHANGE(nothing, )
CHANGE(another_id, r[NEVER].id++)
CHANGE(no_form, r[NEVER].form = 0)
CHANGE(unknown_form, r[NEVER].form = 6)
CHANGE(another_form, r[NEVER].form = GPC_INVARIANT_REMAP)
CHANGE(unknown_flag, r[NEVER].flags |= 4)
CHANGE(no_such_interface, r[NEVER].interface = 1)
CHANGE(egress_of_all, r[NEVER].interface = GPC_NONE)
CHANGE(only_on_one, r[ONLY].interface = 0)
CHANGE(no_such_backend, r[REMAP].backend = 1)
CHANGE(backend_in_vain, r[NEVER].backend = 0)
CHANGE(more_than_all, r[REMAP].max = 10001)
CHANGE(share_in_vain, r[LIMITS].max = 1)
CHANGE(no_limit, r[LIMITS].memory = 0)
CHANGE(limit_in_vain, r[ONLY].max_lookups = 7)
CHANGE(too_much_memory, r[LIMITS].memory = GPC_MAX_IMAGE_BYTES + 1)
CHANGE(padding, r[ONLY].pad0[1] = 1)
CHANGE(order, r[NEVER].name = r[ONLY].name)
CHANGE(boxes_elsewhere, r[NEVER].boxes += 3)
CHANGE(boxes_outside, r[ONLY].allowed = 1u << 30)
CHANGE(more_boxes, r[NEVER].box_count = UINT32_MAX)
CHANGE(fewer_boxes, r[ONLY].allowed_count = 0)
CHANGE(more_sets, w[0]++)
CHANGE(endless_sets, w[0] = UINT32_MAX)
CHANGE(no_services, w[1] = 0)
CHANGE(endless_ranges, w[FIRST_SET] = 0x20000001)
CHANGE(fewer_ranges, w[FIRST_SET]--)
CHANGE(range_backwards, memset(&w[FIRST_SET + 1], 0xff, 16))
CHANGE(box_of_no_set, w[r[NEVER].boxes]++)
CHANGE(box_of_no_service, w[r[NEVER].boxes + 2] = w[r[NEVER].boxes])

static const struct {
	const char *what;
	void (*change)(struct gpc_invariant *records, uint32_t *words);
} changes[] = {
	{"another id", another_id},
	{"no form", no_form},
	{"an unknown form", unknown_form},
	{"another form", another_form},
	{"an unknown flag", unknown_flag},
	{"no such interface", no_such_interface},
	{"the egress of all interfaces", egress_of_all},
	{"only, of one interface", only_on_one},
	{"no such backend", no_such_backend},
	{"a backend in vain", backend_in_vain},
	{"more than 100 %", more_than_all},
	{"a share in vain", share_in_vain},
	{"limits without a limit", no_limit},
	{"a limit in vain", limit_in_vain},
	{"more memory than an image has", too_much_memory},
	{"padding", padding},
	{"names out of order", order},
	{"boxes elsewhere", boxes_elsewhere},
	{"boxes outside", boxes_outside},
	{"more boxes", more_boxes},
	{"fewer boxes", fewer_boxes},
	{"more sets", more_sets},
	{"endless sets", endless_sets},
	{"no services", no_services},
	{"endless ranges", endless_ranges},
	{"fewer ranges", fewer_ranges},
	{"a range backwards", range_backwards},
	{"a box of no set", box_of_no_set},
	{"a box of no service", box_of_no_service},
};

static void what_is_not_sound_is_refused(void)
{
	CU_ASSERT_FALSE(refuses(nothing));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (!refuses(changes[i].change))
			fprintf(stderr, "accepted: %s\n", changes[i].what);
		CU_ASSERT(refuses(changes[i].change));
	}
}

/* Every word, changed in ways that hit counts, offsets and ranges: it is refused, or what opens can be shown. */
static void any_word_may_be_wrong(void)
{
	static const uint32_t values[] = {0, 1, 0x7fffffff, UINT32_MAX};
	size_t size;
	uint8_t *bytes = image_of_text(plane, &size);
	const struct gpc_plane *p = (const void *)(bytes + sizeof(struct gpc_image_head));
	uint32_t count = p->section[GPC_SEC_INVARIANT_WORDS].count, refused = 0;
	uint32_t *words = section_of(bytes, GPC_SEC_INVARIANT_WORDS);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t before = words[i];

		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			words[i] = values[v];
			fix_digests(bytes);
			refused += code_of(bytes, size, false) == GPC_E0509;
		}
		words[i] = before;
	}
	CU_ASSERT(refused > count);
	free(bytes);
}

static void without_any_there_are_no_bytes(void)
{
	size_t size;
	uint8_t *bytes = small_image(&size);
	const struct gpc_plane *p = (const void *)(bytes + sizeof(struct gpc_image_head));

	CU_ASSERT_EQUAL(p->section[GPC_SEC_INVARIANT].size, 0);
	CU_ASSERT_EQUAL(p->section[GPC_SEC_INVARIANT_WORDS].size, 0);
	CU_ASSERT_EQUAL(p->section[GPC_SEC_INVARIANT].offset,
			p->section[GPC_SEC_NAMES].offset);
	free(bytes);
}

GPC_UNIT_MAIN("image/read_invariants",
	      {"what_is_not_sound_is_refused", what_is_not_sound_is_refused},
	      {"any_word_may_be_wrong", any_word_may_be_wrong},
	      {"without_any_there_are_no_bytes", without_any_there_are_no_bytes})
