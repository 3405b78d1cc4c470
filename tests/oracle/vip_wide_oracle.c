/* SPDX-License-Identifier: MIT */
/*
 * The lookups of gpc/lookup/vip.h on compiled images of planes whose listeners overlap, against going
 * through the listeners (vip_planes.h).
 */
#include "gpc/image.h"
#include "gpc/lookup/vip.h"
#include "tests/unit/unit.h"

#include "random_plane.h"
#include "vip_planes.h"

#define PLANES 40u
#define QUERIES 12000u /* per plane */
#define PAIRS 600u

struct tally {
	unsigned long queries, hits, wide, sole, none, wrong;
};

static const enum gpc_forward forwards[] = {GPC_FORWARD_IPIP, GPC_FORWARD_DSR, GPC_FORWARD_GUE,
					    GPC_FORWARD_PASS};

static const char *name_of(const struct gpc_image *image, uint32_t index)
{
	uint32_t count;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	if (index == GPC_NONE)
		return "-";
	return index < count ? gpc_image_name(image, listeners[index].name) : "(out of range)";
}

static void expect(struct tally *t, const struct vip_query *q, const char *what, const char *want,
		   const char *got)
{
	char text[INET6_ADDRSTRLEN];

	if (!strcmp(want, got) || t->wrong++ >= 10)
		return;
	inet_ntop(AF_INET6, q->address, text, sizeof(text));
	printf("vip_wide: %s of %s port %u protocol %u interface %u: want %s, got %s\n", what, text,
	       q->port, q->protocol, q->interface, want, got);
}

static void expect_number(struct tally *t, const struct vip_query *q, const char *what, int want,
			  int got)
{
	char a[16], b[16];

	snprintf(a, sizeof(a), "%d", want);
	snprintf(b, sizeof(b), "%d", got);
	expect(t, q, what, a, b);
}

static void ask_forwards(const struct vip_plane *p, const struct gpc_image *image,
			 const struct vip_query *q, const uint64_t address[2], struct tally *t)
{
	for (int forward = 0; forward < VIP_FORWARDS; forward++) {
		unsigned int gue_port = q->port & 1 ? 6080 : 6081;

		expect_number(t, q, "whether decap takes it",
			      vip_right_forwards(p, *q, (enum vip_forward)forward, gue_port),
			      gpc_vip_forwards(image->view, address[0], address[1],
					       htons((uint16_t)q->port), (uint8_t)q->protocol,
					       (uint8_t)forwards[forward],
					       htons((uint16_t)gue_port)));
		expect_number(t, q, "whether decap takes it without ports",
			      vip_right_address_forwards(p, q, (enum vip_forward)forward, gue_port),
			      gpc_vip_address_forwards(image->view, address[0], address[1],
						       (uint8_t)forwards[forward],
						       htons((uint16_t)gue_port)));
	}
}

static void ask(const struct vip_plane *p, const struct gpc_image *image, const struct vip_query *q,
		struct tally *t)
{
	const struct vip_listener *right = vip_right(p, q), *sole = vip_right_sole(p, q);
	uint64_t address[2], bit = 1ull << q->interface;
	int ping = vip_right_ping(p, q);

	memcpy(address, q->address, 16);
	expect(t, q, "the listener", right ? right->name : "-",
	       name_of(image, gpc_vip_listener(image->view, address[0], address[1],
					       htons((uint16_t)q->port), (uint8_t)q->protocol,
					       bit)));
	expect(t, q, "the only listener", sole ? sole->name : "-",
	       name_of(image, gpc_vip_sole_listener(image->view, address[0], address[1],
						    (uint8_t)q->protocol, bit)));
	expect_number(t, q, "ping", ping,
		      gpc_vip_ping(image->view, address[0], address[1], bit));
	expect_number(t, q, "whether it is an address", ping >= 0,
		      gpc_vip_is_address(image->view, address[0], address[1], bit));
	if (t->queries++ % 8 == 0)
		ask_forwards(p, image, q, address, t);
	t->hits += right != NULL;
	t->wide += right && right->first != right->last;
	t->sole += sole != NULL;
	t->none += ping < 0;
}

static void ask_plane(struct random_source *r, unsigned int tries, struct tally *t)
{
	struct vip_plane *p = malloc(sizeof(*p));
	struct gpc_image image;
	uint8_t digest[32];
	char *yaml;

	if (!p)
		abort();
	vip_random_plane(p, r, tries);
	yaml = vip_yaml(p);
	if (plane_compile(yaml, &image, digest)) {
		for (unsigned int i = 0; i < QUERIES; i++) {
			struct vip_query q = vip_random_query(p, r);

			ask(p, &image, &q, t);
		}
		gpc_image_release(&image);
	} else {
		fprintf(stderr, "%.3000s\n", yaml);
		CU_FAIL("a random plane was refused");
	}
	free(yaml);
	free(p);
}

static void lookups_agree_with_a_linear_scan(void)
{
	struct random_source r = {6};
	struct tally t = {0};

	for (unsigned int i = 0; i < PLANES; i++)
		ask_plane(&r, i < 10 ? i + 1 : (unsigned int)random_scale(&r, 4, 400), &t);
	printf("vip_wide: %lu queries on %u planes: %lu hits, %lu of them by a range, %lu with one "
	       "listener only, %lu at nobody's address, %lu wrong\n",
	       t.queries, PLANES, t.hits, t.wide, t.sole, t.none, t.wrong);
	CU_ASSERT_EQUAL(t.wrong, 0);
	CU_ASSERT(t.queries > 400000 && t.hits > 100000 && t.wide > 50000 && t.sole > 20000 &&
		  t.none > 20000);
}

static bool compiles(const char *yaml)
{
	const char *path = "gpc.yaml";
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "oracle"};
	struct gpc_arena arena = {0};
	struct gpc_provider provider;
	struct gpc_compiled compiled;
	struct gpc_memfiles files;
	struct gpc_diags diags;
	bool ok;

	gpc_memfiles_init(&files, &arena);
	gpc_memfiles_add(&files, path, yaml, strlen(yaml));
	provider = gpc_memfiles_provider(&files);
	gpc_diags_init(&diags, &arena, false);
	ok = gpc_compile(&diags, &provider, &options, &compiled);
	gpc_arena_release(&arena);
	return ok;
}

/* Two listeners of the same prefixes, apart from what may make them clash. */
static void random_pair(struct vip_plane *p, struct random_source *r)
{
	struct vip_listener *other = &p->listeners[1];

	vip_random_plane(p, r, 1);
	*other = p->listeners[0];
	snprintf(other->name, sizeof(other->name), "other");
	vip_random_ports(p, r, &p->listeners[0]);
	vip_random_ports(p, r, other);
	other->interfaces = 1 + (unsigned int)random_below(r, (1u << VIP_INTERFACES) - 1);
	if (random_chance(r, 20))
		other->ping = (enum vip_ping)random_below(r, 3);
	p->count = 2;
}

/* A pair that crosses, is equal or disagrees is refused, and no other is. */
static void clashes_are_refused(void)
{
	unsigned long refused = 0, wrong = 0;
	struct vip_plane *p = malloc(sizeof(*p));
	struct random_source r = {7};

	if (!p)
		abort();
	for (unsigned int i = 0; i < PAIRS; i++) {
		bool taken;
		char *yaml;

		random_pair(p, &r);
		yaml = vip_yaml(p);
		taken = compiles(yaml);
		refused += !taken;
		if (taken == vip_clash(&p->listeners[0], &p->listeners[1]) && wrong++ < 3)
			printf("%s: %s\n", taken ? "taken" : "refused", yaml);
		free(yaml);
	}
	free(p);
	printf("vip_wide: %u pairs, %lu refused, %lu wrong\n", PAIRS, refused, wrong);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(refused > PAIRS / 10 && refused < PAIRS * 9 / 10);
}

GPC_UNIT_MAIN("oracle/vip_wide",
	      {"lookups_agree_with_a_linear_scan", lookups_agree_with_a_linear_scan},
	      {"clashes_are_refused", clashes_are_refused})
