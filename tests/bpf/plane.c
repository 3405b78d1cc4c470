// SPDX-License-Identifier: MIT
#include "plane.h"

#include <arpa/inet.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

struct plane_address plane_address(const char *text)
{
	struct plane_address a = {.bytes = {[10] = 0xff, [11] = 0xff}};

	if (inet_pton(AF_INET, text, a.bytes + 12) == 1)
		return a;
	if (inet_pton(AF_INET6, text, a.bytes) != 1)
		errx(1, "not an address: '%s'", text);
	return a;
}

uint32_t plane_backend_slot(uint32_t index)
{
	return index;
}

uint32_t plane_listener_counter(uint32_t index)
{
	return GPC_COUNTER_FIRST_OBJECT + index;
}

struct gpc_view plane_view(const struct plane *plane, const char *image)
{
	return (struct gpc_view){.base = image, .mask = (1ull << plane->log2) - 1};
}

static uint64_t word(const struct plane_address *a, int half)
{
	uint64_t value;

	memcpy(&value, a->bytes + 8 * half, 8);
	return value;
}

static bool is_v4(const struct plane_address *a)
{
	return !word(a, 0) && (uint32_t)word(a, 1) == 0xffff0000u;
}

/* ---- where things stand ---- */

struct builder {
	const struct plane *in;
	char *image;
	struct gpc_plane *plane;
	uint32_t end;
};

static void *section(struct builder *b, enum gpc_section_id id, uint32_t count, uint32_t size)
{
	struct gpc_section *s = &b->plane->section[id];

	s->offset = (b->end + GPC_IMAGE_ALIGN - 1) / GPC_IMAGE_ALIGN * GPC_IMAGE_ALIGN;
	s->count = count;
	s->entry_size = size;
	s->size = count * size;
	b->end = s->offset + s->size;
	if (b->end > 1u << b->in->log2)
		errx(1, "the image does not fit into 2^%u bytes", b->in->log2);
	return b->image + s->offset;
}

static uint32_t power_above(size_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

/* ---- perfect hashes: bucket by bucket, the largest first, the first displacement that fits ----
 */

struct phash_input {
	const uint64_t *hash;
	size_t count;
	uint32_t bucket_mask, slot_mask;
	uint32_t *displacement;
	uint32_t *owner; /* by slot: key + 1 */
};

static bool place_bucket(struct phash_input *in, uint32_t bucket)
{
	uint32_t keys[64], n = 0;

	for (size_t k = 0; k < in->count; k++)
		if (((uint32_t)(in->hash[k] >> 32) & in->bucket_mask) == bucket && n < 64)
			keys[n++] = (uint32_t)k;
	for (uint32_t d = 0; d <= in->slot_mask; d++) {
		uint32_t placed = 0;

		while (placed < n) {
			uint32_t slot = ((uint32_t)in->hash[keys[placed]] ^ d) & in->slot_mask;

			if (in->owner[slot])
				break;
			in->owner[slot] = keys[placed++] + 1;
		}
		if (placed == n) {
			in->displacement[bucket] = d;
			return true;
		}
		while (placed--)
			in->owner[((uint32_t)in->hash[keys[placed]] ^ d) & in->slot_mask] = 0;
	}
	return false;
}

static bool place(struct phash_input *in)
{
	uint32_t *sizes = calloc(in->bucket_mask + 1, sizeof(*sizes)), most = 0;
	bool ok = true;

	for (size_t k = 0; k < in->count; k++) {
		uint32_t *size = &sizes[(uint32_t)(in->hash[k] >> 32) & in->bucket_mask];

		if (++*size > most)
			most = *size;
	}
	memset(in->owner, 0, (in->slot_mask + 1ull) * sizeof(*in->owner));
	for (uint32_t size = most; size > 0 && ok; size--)
		for (uint32_t bucket = 0; bucket <= in->bucket_mask && ok; bucket++)
			if (sizes[bucket] == size)
				ok = place_bucket(in, bucket);
	free(sizes);
	return ok;
}

/* ---- VIPs ---- */

static struct gpc_vip make_vip(const struct plane_listener *l, enum gpc_vip_kind kind)
{
	struct gpc_vip vip = {
		.address_be = {word(&l->address, 0), word(&l->address, 1)},
		.port_be = kind == GPC_VIP_EXACT ? htons(l->port) : 128,
		.protocol = kind == GPC_VIP_ADDRESS ? GPC_IPPROTO_ADDRESS : l->protocol,
		.flags = (uint8_t)kind,
		.listener = l->index,
		.interfaces = l->interfaces,
	};

	if (kind == GPC_VIP_ADDRESS)
		vip.listener = GPC_VIP_ADDRESS_SAYS(GPC_PING_PASS, 1u << l->forward, 0);
	return vip;
}

static bool same_key(const struct gpc_vip *a, const struct gpc_vip *b)
{
	return !memcmp(a->address_be, b->address_be, 16) && a->port_be == b->port_be &&
	       a->protocol == b->protocol &&
	       gpc_vip_kind(a) == gpc_vip_kind(b);
}

struct vip_set {
	struct gpc_vip *vips;
	size_t count;
	struct gpc_vip_choice *choices;
	size_t choice_count;
};

/* A run of choices of one key is made when its second listener comes; the rows of one key are
 * adjacent. */
static void add_choice(struct vip_set *set, struct gpc_vip *vip, const struct gpc_vip *more)
{
	if (!(vip->flags & GPC_VIP_CHOICE)) {
		set->choices[set->choice_count] = (struct gpc_vip_choice){
			.interfaces = vip->interfaces, .listener = vip->listener};
		vip->flags |= GPC_VIP_CHOICE;
		vip->listener = (uint32_t)set->choice_count++;
	} else {
		set->choices[set->choice_count - 1].last = 0;
	}
	set->choices[set->choice_count++] = (struct gpc_vip_choice){
		.interfaces = more->interfaces, .listener = more->listener, .last = 1};
}

/* A second listener of a key. */
static void join_vip(struct vip_set *set, struct gpc_vip *vip, const struct gpc_vip *more)
{
	switch (gpc_vip_kind(vip)) {
	case GPC_VIP_ADDRESS:
		vip->listener |= more->listener;
		break;
	case GPC_VIP_SOLE:
		if (vip->interfaces & more->interfaces) {
			vip->flags = GPC_VIP_SOLE;
			vip->listener = GPC_NONE;
		} else if (vip->listener != GPC_NONE) {
			add_choice(set, vip, more);
		}
		break;
	default:
		add_choice(set, vip, more);
	}
	vip->interfaces |= more->interfaces;
}

static void add_vips(struct vip_set *set, const struct plane *in, enum gpc_vip_kind kind)
{
	for (size_t row = 0; row < in->listener_count; row++) {
		struct gpc_vip vip = make_vip(&in->listeners[row], kind);
		size_t i = 0;

		while (i < set->count && !same_key(&set->vips[i], &vip))
			i++;
		if (i < set->count)
			join_vip(set, &set->vips[i], &vip);
		else
			set->vips[set->count++] = vip;
	}
}

static void build_vips(struct builder *b)
{
	size_t n = b->in->listener_count;
	struct vip_set set = {.vips = calloc(3 * n + 1, sizeof(*set.vips)),
			      .choices = calloc(3 * n + 1, sizeof(*set.choices))};
	struct gpc_phash *p = &b->plane->vip;
	struct gpc_vip *out;
	uint64_t *hash;
	uint32_t *owner;

	add_vips(&set, b->in, GPC_VIP_EXACT);
	add_vips(&set, b->in, GPC_VIP_SOLE);
	add_vips(&set, b->in, GPC_VIP_ADDRESS);
	b->plane->vip_lengths = (struct gpc_vip_lengths){{{128 + 1}, {128 + 1}}};
	p->slot_mask = power_above(set.count * 2) - 1;
	p->bucket_mask = power_above(set.count) - 1;
	struct phash_input in = {
		.count = set.count, .bucket_mask = p->bucket_mask, .slot_mask = p->slot_mask};

	in.displacement = section(b, GPC_SEC_VIP_DISP, p->bucket_mask + 1, 4);
	out = section(b, GPC_SEC_VIP, p->slot_mask + 1, sizeof(*out));
	in.owner = owner = calloc(p->slot_mask + 1ull, sizeof(*owner));
	in.hash = hash = calloc(set.count + 1, sizeof(*hash));
	for (p->seed = 1;; p->seed++) {
		for (size_t i = 0; i < set.count; i++)
			hash[i] = gpc_vip_hash(p->seed, set.vips[i].address_be[0],
					       set.vips[i].address_be[1], set.vips[i].port_be,
					       set.vips[i].protocol, gpc_vip_kind(&set.vips[i]));
		if (place(&in))
			break;
	}
	for (uint32_t slot = 0; slot <= p->slot_mask; slot++)
		if (owner[slot])
			out[slot] = set.vips[owner[slot] - 1];
	memcpy(section(b, GPC_SEC_VIP_CHOICE, (uint32_t)set.choice_count,
		       sizeof(struct gpc_vip_choice)),
	       set.choices, set.choice_count * sizeof(struct gpc_vip_choice));
	free(set.vips);
	free(set.choices);
	free(hash);
	free(owner);
}

/* ---- endpoints ---- */

static void fill_endpoint(struct gpc_endpoint *out, const struct plane_endpoint *e)
{
	out->id = e->id;
	out->backend = e->backend;
	out->state = e->state;
	out->weight = 1;
	out->port_be = htons(e->port);
	memcpy(&out->address4_be, e->address4.bytes + 12, 4);
	out->address6_be[0] = word(&e->address6, 0);
	out->address6_be[1] = word(&e->address6, 1);
	out->flags = (e->has4 ? GPC_ENDPOINT_V4 : 0) | (e->has6 ? GPC_ENDPOINT_V6 : 0) |
		     (e->state == GPC_STATE_MAINT ? 0 : GPC_ENDPOINT_KEEP) |
		     (e->fib ? GPC_ENDPOINT_FIB : 0);
}

static void build_endpoints(struct builder *b)
{
	size_t n = b->in->endpoint_count;
	struct gpc_endpoint *out = section(b, GPC_SEC_ENDPOINT, (uint32_t)n, sizeof(*out));
	struct gpc_phash *p = &b->plane->endpoint;
	uint64_t *hash = calloc(n + 1, sizeof(*hash));
	struct phash_input in = {.count = n, .hash = hash};

	p->slot_mask = in.slot_mask = power_above(n * 2) - 1;
	p->bucket_mask = in.bucket_mask = power_above(n) - 1;
	in.displacement = section(b, GPC_SEC_EP_DISP, p->bucket_mask + 1, 4);
	in.owner = section(b, GPC_SEC_EP_INDEX, p->slot_mask + 1, 4);
	for (p->seed = 1;; p->seed++) {
		for (size_t i = 0; i < n; i++)
			hash[i] = gpc_phash_mix(p->seed, b->in->endpoints[i].id, 0, 0);
		if (place(&in))
			break;
	}
	for (size_t i = 0, first = 0; i < n; i++) {
		if (b->in->endpoints[i].backend != b->in->endpoints[first].backend)
			first = i;
		fill_endpoint(&out[i], &b->in->endpoints[i]);
		out[i].by_name = (uint32_t)(i - first);
	}
	free(hash);
}

/* ---- tables and listeners ---- */

/* Can endpoint e take new packets of this family? */
static bool takes(const struct plane_endpoint *e, uint8_t forward, int family)
{
	if (e->state != GPC_STATE_READY)
		return false;
	return forward == GPC_FORWARD_DSR ? e->has4 || e->has6
	       : family == GPC_V6	  ? e->has6
					  : e->has4 || e->has6;
}

static struct gpc_table_ref build_table(struct builder *b, uint32_t backend, uint8_t forward,
					int family)
{
	struct gpc_table_ref ref = {};
	uint16_t *ready = calloc(b->in->endpoint_count + 1, sizeof(*ready));
	size_t first = 0, n = 0;

	while (first < b->in->endpoint_count && b->in->endpoints[first].backend != backend)
		first++;
	for (size_t e = first; e < b->in->endpoint_count && b->in->endpoints[e].backend == backend;
	     e++)
		if (takes(&b->in->endpoints[e], forward, family))
			ready[n++] = (uint16_t)(e - first);
	ref.first_endpoint = (uint32_t)first;
	if (n) {
		ref.offset = (b->end + 63) / 64 * 64;
		ref.size = b->in->table_size;
		b->end = ref.offset + 2 * ref.size;
		if (b->end > 1u << b->in->log2)
			errx(1, "the tables do not fit into 2^%u bytes", b->in->log2);
		for (uint32_t i = 0; i < ref.size; i++)
			((uint16_t *)(b->image + ref.offset))[i] =
				ready[(i * 2654435761u >> 4) % n];
	}
	free(ready);
	return ref;
}

/* Rows of one backend, way and family share a table, as the compiler has it. */
static struct gpc_table_ref table_for(struct builder *b, const struct gpc_listener *listeners,
				      size_t row, int family)
{
	const struct plane_listener *l = &b->in->listeners[row];

	for (size_t i = 0; i < row; i++) {
		const struct plane_listener *other = &b->in->listeners[i];

		if (other->backend == l->backend && other->forward == l->forward &&
		    is_v4(&other->address) == (family == GPC_V4))
			return listeners[other->index].table[family];
	}
	return build_table(b, l->backend, l->forward, family);
}

static void build_listeners(struct builder *b)
{
	uint32_t count = 0, tables_at;
	struct gpc_listener *out;
	struct gpc_pool *pools;
	struct gpc_section *maglev = &b->plane->section[GPC_SEC_MAGLEV];

	for (size_t i = 0; i < b->in->listener_count; i++)
		if (b->in->listeners[i].index >= count)
			count = b->in->listeners[i].index + 1;
	out = section(b, GPC_SEC_LISTENER, count, sizeof(*out));
	tables_at = (b->end + 63) / 64 * 64;
	for (uint32_t i = 0; i < count; i++)
		out[i].table[0].offset = out[i].table[1].offset = GPC_NONE;
	for (size_t i = 0; i < b->in->listener_count; i++) {
		const struct plane_listener *l = &b->in->listeners[i];
		int family = is_v4(&l->address) ? GPC_V4 : GPC_V6;

		out[l->index].forward = l->forward;
		out[l->index].flags = l->flags;
		out[l->index].protocol = l->protocol;
		out[l->index].port_be = htons(l->port);
		out[l->index].backend = l->backend;
		out[l->index].outer_dscp = GPC_DSCP_COPY;
		out[l->index].table[family] = table_for(b, out, i, family);
		out[l->index].pools = 1;
		out[l->index].first_pool = l->index;
	}
	*maglev = (struct gpc_section){.offset = tables_at,
				       .size = b->end - tables_at,
				       .count = (b->end - tables_at) / 2,
				       .entry_size = 2};
	pools = section(b, GPC_SEC_POOL, count, sizeof(*pools));
	for (uint32_t i = 0; i < count; i++)
		pools[i] = (struct gpc_pool){.table = {out[i].table[0], out[i].table[1]},
					     .until = 1,
					     .total = 1,
					     .backend = out[i].backend,
					     .failover = GPC_NONE};
}

static void build_backends(struct builder *b)
{
	struct gpc_backend *out;
	uint32_t count = 2;

	for (size_t i = 0; i < b->in->endpoint_count; i++)
		if (b->in->endpoints[i].backend >= count)
			count = b->in->endpoints[i].backend + 1;
	out = section(b, GPC_SEC_BACKEND, count, sizeof(*out));
	for (size_t i = b->in->endpoint_count; i-- > 0;) {
		out[b->in->endpoints[i].backend].first_endpoint = (uint32_t)i;
		out[b->in->endpoints[i].backend].endpoints++;
	}
	for (int i = 0; i < 2; i++) {
		const struct plane_address *gateway = &b->in->gateway[i];

		if (!word(gateway, 0) && !word(gateway, 1))
			continue;
		out[i].next_hop = GPC_NEXT_HOP_ADDRESS;
		out[i].next_hop_be[0] = word(gateway, 0);
		out[i].next_hop_be[1] = word(gateway, 1);
	}
}

/* ---- link part ---- */

static void place_device(struct builder *b, struct gpc_link_head *link,
			 const struct plane_device *d)
{
	struct gpc_link_device *devices = (void *)(b->image + link->device_offset);
	uint32_t home = gpc_device_home(link->device_mult, d->ifindex);

	for (uint32_t i = 0; i < GPC_DEVICE_PROBES; i++) {
		struct gpc_link_device *out = &devices[(home + i) % GPC_DEVICE_SLOTS];

		if (out->ifindex)
			continue;
		out->ifindex = d->ifindex;
		out->interface = d->interface;
		out->interface_bit = d->interface == GPC_NONE16 ? 0 : 1ull << d->interface;
		out->flags = d->flags;
		out->mtu = 1500;
		out->chain[GPC_INGRESS] = out->chain[GPC_EGRESS] = GPC_NONE16;
		memcpy(out->mac, d->mac, 6);
		return;
	}
	errx(1, "no place for device %u", d->ifindex);
}

static void build_link(struct builder *b)
{
	struct gpc_image_head *head = (void *)b->image;
	uint32_t at = (b->end + GPC_PAGE - 1) / GPC_PAGE * GPC_PAGE;
	uint32_t listeners = b->plane->section[GPC_SEC_LISTENER].count;
	uint32_t backends = b->plane->section[GPC_SEC_BACKEND].count;
	struct gpc_link_head *link = (void *)(b->image + at);
	struct gpc_link_listener *listener;
	struct gpc_link_endpoint *endpoint;

	head->link_offset = at;
	head->link_size = (uint32_t)GPC_LINK_SIZE(listeners, b->in->endpoint_count, 0, backends);
	if (at + head->link_size > 1u << b->in->log2)
		errx(1, "the link part does not fit into 2^%u bytes", b->in->log2);
	link->magic = GPC_LINK_MAGIC;
	link->generation = b->in->generation;
	link->nonce = b->in->nonce;
	link->cpus = b->in->cpus;
	link->device_mult = 0x9e3779b1u;
	link->device_offset = at + sizeof(*link);
	link->listener_offset =
		link->device_offset + GPC_DEVICE_SLOTS * sizeof(struct gpc_link_device);
	link->endpoint_offset = link->listener_offset + (listeners + 3) / 4 * 4 * sizeof(*listener);
	link->backend_offset = link->endpoint_offset +
			       (b->in->endpoint_count + 1) / 2 * 2 * sizeof(*endpoint);
	link->rule_offset = link->backend_offset +
			    (backends + 3) / 4 * 4 * sizeof(struct gpc_link_backend);
	listener = (void *)(b->image + link->listener_offset);
	endpoint = (void *)(b->image + link->endpoint_offset);
	for (size_t i = 0; i < b->in->device_count; i++)
		place_device(b, link, &b->in->devices[i]);
	for (uint32_t i = 0; i < listeners; i++)
		listener[i].counter = plane_listener_counter(i);
	for (uint32_t i = 0; i < backends; i++)
		((struct gpc_link_backend *)(b->image + link->backend_offset))[i].counter =
			plane_backend_slot(i);
	for (size_t i = 0; i < b->in->endpoint_count; i++) {
		const struct plane_endpoint *e = &b->in->endpoints[i];

		endpoint[i].counter = e->counter;
		memcpy(endpoint[i].next, e->next, sizeof(e->next));
		endpoint[i].source4_be = e->source4_be;
		memcpy(endpoint[i].source6_be, e->source6.bytes, 16);
	}
	head->size = at + head->link_size;
}

char *plane_build(const struct plane *in)
{
	struct builder b = {.in = in, .image = aligned_alloc(GPC_PAGE, 1ull << in->log2)};
	struct gpc_image_head *head = (void *)b.image;

	if (!b.image)
		err(1, "image");
	memset(b.image, 0, 1ull << in->log2);
	b.plane = (void *)(b.image + sizeof(*head));
	b.end = sizeof(*head) + sizeof(*b.plane);
	head->magic = GPC_IMAGE_MAGIC;
	head->version = GPC_IMAGE_VERSION;
	head->head_size = sizeof(*head);
	b.plane->format = GPC_IMAGE_VERSION;
	b.plane->flags = in->flags;
	memcpy(b.plane->builtin, in->builtin, sizeof(in->builtin));
	b.plane->hash_seed[0] = 0x0706050403020100ull;
	b.plane->hash_seed[1] = 0x0f0e0d0c0b0a0908ull;
	b.plane->flow_inserts = in->flow_inserts;
	memcpy(b.plane->timeout, in->timeout, sizeof(in->timeout));
	build_vips(&b);
	build_endpoints(&b);
	build_listeners(&b);
	build_backends(&b);
	build_link(&b);
	return b.image;
}
