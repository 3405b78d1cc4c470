/* SPDX-License-Identifier: MIT */
/*
 * gpc_vip_listener() and gpc_vip_is_address() on compiled images against a linear scan of the
 * objects from which the YAML was written.
 */
#include "gpc/image.h"
#include "gpc/lookup/view.h"
#include "gpc/lookup/vip.h"
#include "tests/unit/unit.h"

#include "random_plane.h"

#define PLANES 60u
#define LOOKUPS 20000u		 /* per plane */
#define NOWHERE PLANE_INTERFACES /* an interface that the plane does not have */

struct query {
	struct plane_address address;
	unsigned int port, protocol;
	size_t interface; /* of struct random_plane; NOWHERE: bit 0 */
};

struct tally {
	unsigned long lookups, hits, near, addresses, wrong;
};

/* ---- the linear scan ------------------------------------------------------------------------- */

static bool exists_on(const struct random_plane *p, const struct plane_listener *l,
		      size_t interface)
{
	return interface != NOWHERE && l->on[interface] && p->interfaces[interface].balances;
}

static bool has_address(const struct plane_listener *l, const struct plane_address *a)
{
	for (size_t i = 0; i < l->count; i++)
		if (plane_same(&l->addresses[i], a))
			return true;
	return false;
}

static const struct plane_listener *scan(const struct random_plane *p, const struct query *q)
{
	for (size_t i = 0; i < p->listener_count; i++) {
		const struct plane_listener *l = &p->listeners[i];

		if (l->port == q->port && l->protocol == q->protocol &&
		    exists_on(p, l, q->interface) && has_address(l, &q->address))
			return l;
	}
	return NULL;
}

static bool scan_address(const struct random_plane *p, const struct query *q)
{
	for (size_t i = 0; i < p->listener_count; i++)
		if (exists_on(p, &p->listeners[i], q->interface) &&
		    has_address(&p->listeners[i], &q->address))
			return true;
	return false;
}

/* ---- questions ------------------------------------------------------------------------------- */

static unsigned int near_port(struct random_source *r, unsigned int port)
{
	switch (random_below(r, 5)) {
	case 0:
		return (port + 1) & 0xffff;
	case 1:
		return (port - 1) & 0xffff;
	case 2:
		return (port >> 8 | port << 8) & 0xffff;
	case 3:
		return 0;
	default:
		return port ^ 1u << random_below(r, 16);
	}
}

static unsigned int other_protocol(struct random_source *r)
{
	static const unsigned int protocols[] = {IPPROTO_TCP, IPPROTO_UDP, 0,  IPPROTO_ICMP,
						 58,	      132,	   255};

	return protocols[random_below(r, sizeof(protocols) / sizeof(protocols[0]))];
}

/* The same last bytes in the other family, or the words exchanged. */
static struct plane_address twisted(struct random_source *r, const struct plane_address *a)
{
	struct plane_address out = *a;

	if (random_chance(r, 50)) {
		memcpy(out.bytes, a->bytes + 8, 8);
		memcpy(out.bytes + 8, a->bytes, 8);
	} else {
		memset(out.bytes, 0, 12);
		if (!plane_is_v4(a))
			out.bytes[10] = out.bytes[11] = 0xff;
	}
	return out;
}

static void miss_nearly(struct random_source *r, const struct random_plane *p, struct query *q)
{
	switch (random_below(r, 6)) {
	case 0:
		q->address.bytes[random_below(r, 16)] ^= (uint8_t)(1u << random_below(r, 8));
		break;
	case 1:
		q->port = near_port(r, q->port);
		break;
	case 2:
		q->protocol = other_protocol(r);
		break;
	case 3:
		q->interface = random_chance(r, 20) ? NOWHERE : random_below(r, p->interface_count);
		break;
	case 4:
		q->address = p->pool[random_below(r, p->pool_count)];
		break;
	default:
		q->address = twisted(r, &q->address);
	}
}

static struct query random_query(struct random_source *r, const struct random_plane *p)
{
	struct query q = {p->pool[0], 0, 0, random_below(r, p->interface_count)};

	if (p->listener_count && random_chance(r, 85)) {
		const struct plane_listener *l = &p->listeners[random_below(r, p->listener_count)];

		q.address = l->addresses[random_below(r, l->count)];
		q.port = l->port;
		q.protocol = l->protocol;
		if (random_chance(r, 50))
			miss_nearly(r, p, &q);
		if (random_chance(r, 10))
			miss_nearly(r, p, &q);
		return q;
	}
	q.protocol = other_protocol(r);
	q.port = random_chance(r, 30) ? 0 : (unsigned int)random_below(r, 65536);
	for (int i = 0; i < 16; i++)
		q.address.bytes[i] = random_chance(r, 20) ? 0 : (uint8_t)random_u64(r);
	if (random_chance(r, 30))
		q.address = plane_v4((uint32_t)random_u64(r));
	if (random_chance(r, 5))
		memset(&q.address, 0, sizeof(q.address));
	return q;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Bit of the interface: its place among all names in byte order. */
static uint64_t bit_of(const struct random_plane *p, size_t interface)
{
	unsigned int smaller = 0;

	if (interface == NOWHERE)
		return 0;
	for (size_t i = 0; i < p->interface_count; i++)
		smaller += strcmp(p->interfaces[i].name, p->interfaces[interface].name) < 0;
	return 1ull << smaller;
}

static const char *listener_name(const struct gpc_image *image, uint32_t index)
{
	uint32_t count;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	return index < count ? gpc_image_name(image, listeners[index].name) : "(out of range)";
}

static void say_wrong(const struct query *q, const char *want, const char *got)
{
	char text[INET6_ADDRSTRLEN];

	printf("vip: %s port %u protocol %u interface %zu: want %s, got %s\n",
	       plane_text(&q->address, text), q->port, q->protocol, q->interface, want, got);
}

static void ask(const struct random_plane *p, const struct gpc_image *image, const struct query *q,
		struct tally *t)
{
	const struct plane_listener *want = scan(p, q);
	bool want_address = scan_address(p, q);
	uint64_t bit = bit_of(p, q->interface), address[2];
	const char *got = "-";
	uint32_t index;
	int is_address;

	memcpy(address, q->address.bytes, 16);
	index = gpc_vip_listener(image->view, address[0], address[1], htons((uint16_t)q->port),
				 (uint8_t)q->protocol, bit);
	is_address = gpc_vip_is_address(image->view, address[0], address[1], bit) != 0;
	if (index != GPC_NONE)
		got = listener_name(image, index);
	t->lookups++;
	t->hits += want != NULL;
	t->near += !want && want_address;
	t->addresses += want_address;
	if (strcmp(got, want ? want->name : "-") != 0) {
		if (t->wrong++ < 10)
			say_wrong(q, want ? want->name : "-", got);
	}
	if (is_address != want_address) {
		if (t->wrong++ < 10)
			say_wrong(q, want_address ? "an address" : "no address",
				  is_address ? "one" : "none");
	}
}

static void ask_plane(struct random_source *r, size_t listeners, struct tally *t)
{
	struct random_plane *p = malloc(sizeof(*p));
	struct gpc_image image;
	uint8_t digest[32];
	char *yaml;

	if (!p)
		abort();
	random_plane(p, r, listeners);
	yaml = plane_yaml(p, NULL);
	if (plane_compile(yaml, &image, digest)) {
		for (unsigned int i = 0; i < LOOKUPS; i++) {
			struct query q = random_query(r, p);

			ask(p, &image, &q, t);
		}
		gpc_image_release(&image);
	} else {
		fprintf(stderr, "%s", yaml);
		CU_FAIL("a random plane was refused");
	}
	free(yaml);
	free(p);
}

static void lookups_agree_with_a_linear_scan(void)
{
	struct random_source r = {21};
	struct tally t = {0};

	for (unsigned int i = 0; i < PLANES; i++)
		ask_plane(&r, i < 10 ? i + 1 : random_scale(&r, 1, PLANE_LISTENERS), &t);
	printf("vip: %lu lookups on %u planes: %lu hits, %lu misses on a listener's address, %lu "
	       "others, %lu wrong\n",
	       t.lookups, PLANES, t.hits, t.near, t.lookups - t.hits - t.near, t.wrong);
	CU_ASSERT_EQUAL(t.wrong, 0);
	CU_ASSERT(t.lookups >= 1000000 && t.hits > 200000 && t.near > 100000);
}

GPC_UNIT_MAIN("oracle/vip", {"lookups_agree_with_a_linear_scan", lookups_agree_with_a_linear_scan})
