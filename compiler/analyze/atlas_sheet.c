/* SPDX-License-Identifier: MIT */
#include "atlas_sheet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "gpc/lookup/vip.h"

struct making {
	struct gpc_atlas *atlas;
	struct gpc_atlas_sheet *sheet;
	const struct gpc_atlas_place *place;
};

static bool listens(const struct making *m, unsigned int image)
{
	return m->place->direction == GPC_INGRESS && m->place->index[image] != GPC_NONE;
}

/* ---- ports of listeners ---- */

struct numbers {
	struct gpc_arena *arena;
	GPC_VEC(uint32_t) items;
};

static void add_port(struct numbers *ports, uint32_t port)
{
	*GPC_PUSH(ports->arena, &ports->items) = port;
}

static void add_listener_ports(const struct making *m, unsigned int image, struct numbers *ports)
{
	const struct gpc_image *of = m->atlas->options.images[image];
	uint64_t bit = 1ull << m->place->index[image];
	uint32_t count;
	const struct gpc_vip *vips = gpc_image_section(of, GPC_SEC_VIP, &count);
	const struct gpc_vip_ports *intervals;

	for (uint32_t i = 0; i < count; i++) {
		if ((vips[i].flags & GPC_VIP_KIND) != GPC_VIP_EXACT || !(vips[i].interfaces & bit))
			continue;
		add_port(ports, ntohs(vips[i].port_be));
		add_port(ports, ntohs(vips[i].port_be) + 1u);
	}
	intervals = gpc_image_section(of, GPC_SEC_VIP_PORTS, &count);
	for (uint32_t i = 0; i < count; i++) {
		if (!(intervals[i].interfaces & bit))
			continue;
		add_port(ports, intervals[i].first);
		if (!intervals[i].last && i + 1 < count)
			add_port(ports, intervals[i + 1].first);
	}
}

/* ---- kinds ---- */

static void find_kinds(struct making *m)
{
	struct gpc_atlas *atlas = m->atlas;
	struct gpc_kinds_classifier *classifiers =
		GPC_NEW_ARRAY(atlas->arena, struct gpc_kinds_classifier, 2 * GPC_CHART_TABLES);
	struct numbers ports = {.arena = atlas->arena};
	struct gpc_kinds_input input = {.classifiers = classifiers,
					.services = atlas->options.services,
					.service_count = atlas->options.service_count};

	for (unsigned int k = 0; k < atlas->images; k++) {
		struct gpc_chart *chart = &m->sheet->chart[k];

		for (uint32_t t = 0; t < chart->tables; t++) {
			struct gpc_cell_table *cells = &chart->table[t].cells;
			struct gpc_kinds_classifier *c = &classifiers[input.classifier_count++];

			*c = (struct gpc_kinds_classifier){.view = cells->view, .classifier = cells->classifier};
			if (!(cells->classifier->flags & GPC_CLASSIFIER_L4))
				c->records = gpc_cell_table_records(cells, &c->record_count);
		}
		if (listens(m, k))
			add_listener_ports(m, k, &ports);
	}
	input.listener_ports = ports.items.items;
	input.listener_port_count = ports.items.n;
	atlas->fault = gpc_kinds_build(atlas->arena, &input, &m->sheet->kinds);
}

/* ---- what listeners do ---- */

/* Kinds that the listeners cannot tell apart are a group: protocol and an interval between their ports. */
struct listener_kinds {
	struct gpc_steps groups;	/* protocol, the interval's first port */
	uint32_t *group_of;		/* by kind: 1 + group, 0: no listener takes it */
	uint32_t *found;		/* by group: listener */
};

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static uint32_t greatest_below(const bool *begins, uint32_t port)
{
	while (port && !begins[port])
		port--;
	return port;
}

static struct listener_kinds listener_kinds_of(const struct making *m, unsigned int image)
{
	const struct gpc_kinds *kinds = &m->sheet->kinds;
	struct gpc_arena *arena = m->atlas->arena;
	struct listener_kinds ret = {.groups = {.arena = arena},
				     .group_of = GPC_NEW_ARRAY(arena, uint32_t, kinds->count)};
	bool *begins = GPC_NEW_ARRAY(arena, bool, GPC_PORT_NONE + 1);
	struct numbers ports = {.arena = arena};

	add_listener_ports(m, image, &ports);
	for (size_t i = 0; i < ports.items.n; i++)
		begins[ports.items.items[i]] = true;
	for (uint32_t i = 0; i < kinds->count; i++) {
		const struct gpc_question *p = &kinds->packets[i];

		if (has_ports(p->protocol) && p->fragment == GPC_FRAGMENT_NONE)
			ret.group_of[i] = 1 + gpc_step(&ret.groups, p->protocol,
						       greatest_below(begins, p->destination_port));
	}
	ret.found = GPC_NEW_ARRAY(arena, uint32_t, ret.groups.items.n);
	return ret;
}

/* Sequence of listeners and the kinds that they take of packets to an address. */
static uint32_t listeners_of(struct making *m, unsigned int image, struct listener_kinds *lk, const struct gpc_ip *ip)
{
	struct gpc_chart *chart = &m->sheet->chart[image];
	struct gpc_kinds *kinds = &m->sheet->kinds;
	uint64_t address[2], *bits = GPC_NEW_ARRAY(m->atlas->arena, uint64_t, kinds->words / 2);
	struct numbers words = {.arena = m->atlas->arena};
	uint32_t last = 0, most;
	bool again = true;

	memcpy(address, ip->bytes, sizeof(address));
	for (uint32_t g = 0; g < lk->groups.items.n; g++)
		lk->found[g] = gpc_vip_listener(chart->image->view, address[0], address[1],
						htons((uint16_t)lk->groups.items.items[g].by),
						(uint8_t)lk->groups.items.items[g].from,
						1ull << m->place->index[image]);
	while (again) { /* the listeners in ascending order */
		most = GPC_NONE;
		again = false;
		for (uint32_t g = 0; g < lk->groups.items.n; g++)
			if (lk->found[g] >= last && lk->found[g] < most)
				most = lk->found[g];
		if (most == GPC_NONE)
			break;
		memset(bits, 0, kinds->words * sizeof(uint32_t));
		for (uint32_t i = 0; i < kinds->count; i++)
			if (lk->group_of[i] && lk->found[lk->group_of[i] - 1] == most)
				bits[i / 64] |= 1ull << i % 64;
		add_port(&words, most);
		add_port(&words, gpc_kinds_number(kinds, bits));
		last = most + 1;
		again = true;
	}
	return gpc_intern(&chart->listeners, words.items.items, words.items.n);
}

/* By destination atom: what its listeners do. */
static uint32_t *find_listeners(struct making *m, unsigned int image)
{
	const struct gpc_atlas_atoms *atoms = &m->atlas->atoms[GPC_ATLAS_DESTINATION];
	uint32_t *ret = GPC_NEW_ARRAY(m->atlas->arena, uint32_t, atoms->count);
	uint32_t *known = GPC_NEW_ARRAY(m->atlas->arena, uint32_t, atoms->listener_classes[image]);
	struct listener_kinds lk;

	if (!listens(m, image))
		return ret;
	lk = listener_kinds_of(m, image);
	for (size_t i = 0; i < atoms->count; i++) {
		uint32_t class = atoms->listeners[image][i];

		if (!atoms->listened[image][class])
			continue;
		if (!known[class])
			known[class] = 1 + listeners_of(m, image, &lk, &atoms->items[i].set.ranges[0].first);
		ret[i] = known[class] - 1;
	}
	return ret;
}

/* ---- lines ---- */

/* Lines of all atoms of a side; equal classes are looked up once. */
static uint32_t *lines_of(struct making *m, unsigned int image, enum gpc_atlas_side side)
{
	const struct gpc_atlas_atoms *atoms = &m->atlas->atoms[side];
	struct gpc_arena *arena = m->atlas->arena;
	uint32_t *ret = GPC_NEW_ARRAY(arena, uint32_t, atoms->count), *listeners = NULL;
	struct gpc_steps seen = {.arena = arena};
	struct numbers lines = {.arena = arena};

	if (side == GPC_ATLAS_DESTINATION)
		listeners = find_listeners(m, image);
	for (size_t i = 0; i < atoms->count; i++) {
		uint32_t class = atoms->items[i].class[image], done = listeners ? listeners[i] : 0;
		uint32_t number = gpc_step(&seen, class, done);

		if (number == lines.items.n)
			add_port(&lines, gpc_chart_line(&m->sheet->chart[image], side, class, done));
		ret[i] = lines.items.items[number];
	}
	return ret;
}

static void join_lines(struct making *m)
{
	for (int side = 0; side < 2; side++) {
		const struct gpc_atlas_atoms *atoms = &m->atlas->atoms[side];
		uint32_t *line[2] = {NULL, NULL};

		for (unsigned int k = 0; k < m->atlas->images; k++)
			line[k] = lines_of(m, k, (enum gpc_atlas_side)side);
		m->sheet->joints[side] = (struct gpc_steps){.arena = m->atlas->arena};
		m->sheet->joint_of[side] = GPC_NEW_ARRAY(m->atlas->arena, uint32_t, atoms->count);
		for (size_t i = 0; i < atoms->count; i++)
			m->sheet->joint_of[side][i] =
				gpc_step(&m->sheet->joints[side], line[0][i], line[1] ? line[1][i] : 0);
	}
}

/* ---- the sheet ---- */

static void find_scopes(struct making *m)
{
	struct gpc_atlas_sheet *sheet = m->sheet;
	const struct gpc_kinds *k = &sheet->kinds;
	uint32_t stateful = m->atlas->options.scope == GPC_ATLAS_EVERY ? k->all :
			    m->atlas->options.scope == GPC_ATLAS_ASKED ? k->asked :
									 k->opening;

	sheet->common_scope = k->all;
	for (unsigned int i = 0; i < m->atlas->images; i++) {
		const struct gpc_chain *chain = m->place->chain[i];

		sheet->scope[i] = chain && chain->flags & GPC_CHAIN_STATEFUL ? stateful : k->all;
		if (sheet->scope[i] != k->all)
			sheet->common_scope = stateful;
	}
	sheet->service = GPC_NEW_ARRAY(m->atlas->arena, uint32_t, m->atlas->options.service_count);
	for (size_t i = 0; i < m->atlas->options.service_count; i++)
		sheet->service[i] = gpc_kinds_of_service(&sheet->kinds, &m->atlas->options.services[i]);
}

static void make_sheet(struct making *m)
{
	struct gpc_atlas *atlas = m->atlas;
	struct gpc_atlas_sheet *sheet = m->sheet;

	for (unsigned int k = 0; k < atlas->images; k++)
		gpc_chart_init(atlas->arena, atlas->options.images[k], m->place->chain[k],
			       atlas->options.enforce_audit, &sheet->chart[k]);
	find_kinds(m);
	if (atlas->fault)
		return;
	sheet->effects = (struct gpc_effects){
		.aspects = atlas->options.aspects,
		.single = {.arena = atlas->arena, .most = SIZE_MAX},
		.functions = {.arena = atlas->arena, .most = 48u * 1024 * 1024},
	};
	for (unsigned int k = 0; k < atlas->images; k++)
		gpc_chart_begin(&sheet->chart[k], &sheet->kinds, &sheet->effects);
	join_lines(m);
	for (unsigned int k = 0; k < atlas->images && !atlas->fault; k++) {
		gpc_chart_end_lines(&sheet->chart[k]);
		atlas->fault = sheet->chart[k].fault;
		sheet->nodes[k] = GPC_NEW_ARRAY(atlas->arena, uint32_t, sheet->chart[k].lines[1].items.n);
	}
	if (!atlas->fault)
		find_scopes(m);
}

struct gpc_atlas_sheet *gpc_atlas_sheet_of(struct gpc_atlas *atlas, size_t place)
{
	size_t at = atlas->places[place].alike;
	struct making m = {.atlas = atlas, .place = &atlas->places[at]};

	if (atlas->fault)
		return NULL;
	if (atlas->sheets[at])
		return atlas->sheets[at];
	m.sheet = GPC_NEW(atlas->arena, struct gpc_atlas_sheet);
	make_sheet(&m);
	if (atlas->fault)
		return NULL;
	atlas->sheets[at] = m.sheet;
	return m.sheet;
}

bool gpc_atlas_rows(struct gpc_atlas *atlas, struct gpc_atlas_sheet *sheet, uint32_t joint, uint64_t *work)
{
	struct gpc_step lines = sheet->joints[GPC_ATLAS_SOURCE].items.items[joint];
	uint32_t line[2] = {lines.from, lines.by};

	for (unsigned int k = 0; k < atlas->images; k++)
		if (!gpc_chart_row(&sheet->chart[k], line[k], sheet->nodes[k], work)) {
			atlas->fault = sheet->chart[k].fault;
			return false;
		}
	return true;
}
