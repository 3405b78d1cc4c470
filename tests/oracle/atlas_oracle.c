/* SPDX-License-Identifier: MIT */
/*
 * The atlas against going through the rules: random pairs of small planes, most of them one and an edit of it. Every
 * packet of the universe is judged in both by small_plane.c, and what the atlas claims is held against that: what is
 * treated differently, what each image does, the first packet of a query. No claim wrong, none missing.
 *
 *   GPC_CHECK_LONG=1   10,000 pairs instead of a few
 *   GPC_SEED=N         begin with this pair, and only it
 */
#include "analyze/atlas.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyze/explain.h"
#include "base/memfiles.h"
#include "pipeline.h"
#include "small_plane.h"
#include "tests/unit/unit.h"

#define PAIRS_LONG 10000u
#define PAIRS 60u
#ifdef __SANITIZE_ADDRESS__
#define PAIRS_SHORT (PAIRS / 5)
#else
#define PAIRS_SHORT PAIRS
#endif
#define SETS 3u		/* of the caller: from, to, another */
#define UNCLAIMED 0xffffffffu

static uint64_t pair_seed;
static uint64_t differing_packets, pieces_seen, queries_hit, queries_missed, refused;
static const char *wrong;	/* what was, of the pair at hand */

struct side {
	struct small_plane plane;
	struct small_tables tables;
	char *text;
	struct gpc_image image;
};

struct pair {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct side side[2];
	struct gpc_set sets[SETS];
	uint32_t set_masks[SETS];
	struct gpc_atlas_options options;
	struct gpc_atlas *atlas;
	uint32_t atom[2][SMALL_ADDRESSES];
	uint32_t *claims;	/* by source, destination, packet: piece */
};

static bool blame(const char *what)
{
	if (!wrong)
		wrong = what;
	return false;
}

/* ---- a pair ---- */

static bool open_side(struct pair *pair, struct side *side)
{
	const char *path = "gpc.yaml";
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "test"};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compiled compiled;
	size_t size;
	FILE *out = open_memstream(&side->text, &size);

	small_plane_write(&side->plane, out);
	fclose(out);
	small_tables_make(&side->plane, &side->tables);
	gpc_memfiles_init(&files, &pair->arena);
	gpc_memfiles_add(&files, path, side->text, size);
	provider = gpc_memfiles_provider(&files);
	return gpc_compile(&pair->diags, &provider, &options, &compiled) &&
	       gpc_image_open_written(&pair->diags, path, compiled.bytes, compiled.size, &side->image);
}

static void make_sets(struct pair *pair)
{
	for (uint32_t i = 0; i < SETS; i++) {
		uint32_t prefix = small_random(SMALL_PREFIXES);
		const char *text = small_prefix_text(prefix);
		struct gpc_prefix parsed;

		gpc_prefix_parse(text, strlen(text), &parsed);
		pair->sets[i] = gpc_set_of_prefixes(&pair->arena, &parsed, 1);
		pair->set_masks[i] = small_prefix(prefix);
	}
}

static void find_atoms(struct pair *pair)
{
	for (int side = 0; side < 2; side++) {
		size_t count;
		const struct gpc_atlas_atom *atoms =
			gpc_atlas_atoms(pair->atlas, (enum gpc_atlas_side)side, &count);

		for (uint32_t a = 0; a < SMALL_ADDRESSES; a++) {
			struct gpc_ip ip;
			uint32_t found = 0;

			small_address(a, (__u64 *)(void *)ip.bytes);
			for (size_t i = 0; i < count; i++)
				if (gpc_set_holds(atoms[i].set, &ip)) {
					pair->atom[side][a] = (uint32_t)i;
					found++;
				}
			if (found != 1)
				blame("an address is not in one atom");
		}
	}
}

static const struct gpc_service_item asked_items[] = {
	{IPPROTO_TCP, IPPROTO_TCP, GPC_ANY_PORT, {79, 82}},
	{IPPROTO_UDP, IPPROTO_UDP, GPC_ANY_PORT, {79, 82}},
};
static const struct gpc_service asked_service = {asked_items, 2, GPC_MATCH_ANY};

/* Packets of asked_service that are whole, plain ones: those that a witness of it may be. */
static bool is_asked(const struct gpc_question *p)
{
	return (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) && p->fragment != GPC_FRAGMENT_LATER &&
	       p->destination_port >= 79 && p->destination_port <= 82;
}

static bool open_pair(struct pair *pair, bool matched)
{
	memset(pair, 0, sizeof(*pair));
	gpc_diags_init(&pair->diags, &pair->arena, false);
	small_universe(matched);
	small_plane_random(matched, &pair->side[0].plane);
	pair->side[1].plane = pair->side[0].plane;
	if (!small_random(8))
		small_plane_random(matched, &pair->side[1].plane);
	for (uint32_t edits = small_random(4); edits; edits--)
		small_plane_edit(matched, &pair->side[1].plane);
	make_sets(pair);
	if (!open_side(pair, &pair->side[0]) || !open_side(pair, &pair->side[1]))
		return false;
	pair->options = (struct gpc_atlas_options){
		.images = {&pair->side[0].image, &pair->side[1].image},
		.sets = pair->sets,
		.set_count = SETS,
		.services = &asked_service,
		.service_count = 1,
		.enforce_audit = !small_random(3),
		.scope = (enum gpc_atlas_scope)small_random(3),
	};
	pair->atlas = gpc_atlas_new(&pair->arena, &pair->options);
	find_atoms(pair);
	pair->claims = GPC_NEW_ARRAY(&pair->arena, uint32_t,
				     SMALL_ADDRESSES * SMALL_ADDRESSES * small_packet_count);
	return true;
}

static void close_pair(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		if (pair->side[i].image.bytes)
			gpc_image_release(&pair->side[i].image);
		free(pair->side[i].text);
	}
	gpc_arena_release(&pair->arena);
}

/* ---- claims ---- */

static bool box_holds(const struct gpc_atlas_box *box, const struct gpc_question *p)
{
	return p->protocol >= box->item.protocol_first && p->protocol <= box->item.protocol_last &&
	       p->source_port >= box->item.source.first && p->source_port <= box->item.source.last &&
	       p->destination_port >= box->item.destination.first &&
	       p->destination_port <= box->item.destination.last && box->tcp_flags >> p->tcp_flags & 1 &&
	       box->fragments >> p->fragment & 1 && box->dscp >> p->dscp & 1 &&
	       (!box->vlans || box->vlans[p->vlan / 64] >> p->vlan % 64 & 1);
}

static bool has_atom(const uint32_t *atoms, size_t count, uint32_t atom)
{
	for (size_t i = 0; i < count; i++)
		if (atoms[i] == atom)
			return true;
	return false;
}

static uint32_t addresses_of(const struct pair *pair, int side, const uint32_t *atoms, size_t count)
{
	uint32_t mask = 0;

	for (uint32_t a = 0; a < SMALL_ADDRESSES; a++)
		mask |= (uint32_t)has_atom(atoms, count, pair->atom[side][a]) << a;
	return mask;
}

static uint32_t *claim_at(struct pair *pair, uint32_t source, uint32_t destination)
{
	return &pair->claims[(source * SMALL_ADDRESSES + destination) * small_packet_count];
}

static void claim_pairs(struct pair *pair, uint32_t piece, uint32_t sources, uint32_t destinations, const bool *held)
{
	for (uint32_t s = 0; s < SMALL_ADDRESSES; s++)
		for (uint32_t d = 0; d < SMALL_ADDRESSES; d++) {
			uint32_t *claims = claim_at(pair, s, d);

			if (!(sources >> s & destinations >> d & 1) || small_family(s) != small_family(d))
				continue;
			for (uint32_t k = 0; k < small_packet_count; k++) {
				if (!held[k])
					continue;
				if (claims[k] != UNCLAIMED)
					blame("a packet is in two pieces");
				claims[k] = piece;
			}
		}
}

static bool counts(const struct pair *pair, bool stateful, uint32_t packet)
{
	if (!stateful || pair->options.scope == GPC_ATLAS_EVERY)
		return true;
	return pair->options.scope == GPC_ATLAS_ASKED ? small_is_asked(packet) : small_opens(packet);
}

/* `query`: NULL of a comparison. */
static void claim(struct pair *pair, const struct gpc_atlas_pieces *pieces, const struct gpc_atlas_query *query,
		  bool stateful)
{
	memset(pair->claims, 0xff,
	       (size_t)SMALL_ADDRESSES * SMALL_ADDRESSES * small_packet_count * sizeof(*pair->claims));
	pieces_seen += pieces->count;
	for (uint32_t i = 0; i < pieces->count; i++) {
		const struct gpc_atlas_piece *piece = &pieces->items[i];
		bool held[SMALL_PACKETS_MAX];
		size_t count;
		const struct gpc_atlas_box *boxes =
			query ? gpc_atlas_boxes_of_query(pair->atlas, query, piece->region, &count) :
				gpc_atlas_boxes(pair->atlas, piece->place, piece->region, &count);

		for (uint32_t k = 0; k < small_packet_count; k++) {
			held[k] = false;
			for (size_t b = 0; b < count && counts(pair, stateful, k); b++)
				held[k] |= box_holds(&boxes[b], &small_packets[k]);
		}
		claim_pairs(pair, i, addresses_of(pair, 0, piece->sources, piece->source_count),
			    addresses_of(pair, 1, piece->destinations, piece->destination_count), held);
	}
}

/* ---- verdicts ---- */

static const char *name_of(const struct gpc_image *image, enum gpc_section_id section, uint32_t index)
{
	uint32_t count;

	if (index == GPC_NONE)
		return "-";
	if (section == GPC_SEC_RULE)
		return gpc_image_name(image, ((const struct gpc_rule *)gpc_image_section(image, section, &count))[index].name);
	if (section == GPC_SEC_POLICY)
		return gpc_image_name(image, ((const struct gpc_policy *)gpc_image_section(image, section, &count))[index].name);
	return gpc_image_name(image, ((const struct gpc_listener *)gpc_image_section(image, section, &count))[index].name);
}

static bool is_named(const struct gpc_image *image, enum gpc_section_id section, uint32_t index, char letter,
		     uint32_t number)
{
	char name[16];

	snprintf(name, sizeof(name), "%c%u", letter, number);
	return !strcmp(name_of(image, section, index), name);
}

static bool same_decider(const struct gpc_image *image, const struct gpc_atlas_verdict *said,
			 const struct small_verdict *v)
{
	if (v->policy == SMALL_NOBODY)
		return said->rule == GPC_NONE && said->policy == GPC_NONE;
	if (v->policy == SMALL_PROTECT)
		return said->policy == GPC_NONE && said->rule != GPC_NONE;	/* two may hold it: by name, the first */
	if (!is_named(image, GPC_SEC_POLICY, said->policy, 'p', v->policy))
		return false;
	if (v->rule == SMALL_DEFAULT)
		return !strcmp(name_of(image, GPC_SEC_RULE, said->rule), "default");
	return is_named(image, GPC_SEC_RULE, said->rule, 'r', v->rule);
}

static bool same_verdict(const struct gpc_image *image, const struct gpc_atlas_verdict *said,
			 const struct small_verdict *v)
{
	return said->action == v->action && said->at_times == v->at_times && same_decider(image, said, v) &&
	       (said->log_rule != GPC_NONE) == v->logged && said->mark == v->mark &&
	       (v->listener ? is_named(image, GPC_SEC_LISTENER, said->listener, 'l', v->listener - 1u)
			    : said->listener == GPC_NONE);
}

/* A device, as each plane's interfaces take it. */
struct asked {
	uint32_t interface[2];
	enum gpc_direction direction;
};

/*
 * One of the devices for which one would look at the place: those that its name takes, of the names of all places.
 * A claim about a place is one about each of them.
 */
static struct asked asked_of(const struct pair *pair, const struct gpc_atlas_place *place)
{
	const char *names[4 * SMALL_INTERFACES], *device;
	const struct gpc_atlas_place *places;
	uint32_t at = small_random(SMALL_DEVICES), tried = 0, found;
	size_t count;

	places = gpc_atlas_places(pair->atlas, &count);
	for (size_t i = 0; i < count; i++)
		names[i] = places[i].interface;
	do {
		device = small_devices[(at + tried) % SMALL_DEVICES];
		if (tried++ == SMALL_DEVICES) {
			blame("a place without a device");
			break;
		}
		found = small_name_of(device, names, (uint32_t)count);
	} while (found == count || strcmp(names[found], place->interface));
	return (struct asked){{small_interface(&pair->side[0].plane, device),
			       small_interface(&pair->side[1].plane, device)},
			      place->direction};
}

static struct small_verdict judge(const struct pair *pair, unsigned int image, struct asked at, uint32_t s, uint32_t d,
				  uint32_t k)
{
	return small_judge(&pair->side[image].tables, pair->options.enforce_audit, at.interface[image], at.direction, s, d, k);
}

static bool is_stateful(const struct gpc_atlas_place *place, unsigned int image)
{
	return place->chain[image] && place->chain[image]->flags & GPC_CHAIN_STATEFUL;
}

/* ---- comparisons ---- */

static void check_pair(struct pair *pair, const struct gpc_atlas_pieces *pieces, struct asked at, bool stateful,
		       uint32_t s, uint32_t d)
{
	const uint32_t *claims = claim_at(pair, s, d);

	for (uint32_t k = 0; k < small_packet_count; k++) {
		struct small_verdict a, b;
		const struct gpc_atlas_piece *piece;

		if (!counts(pair, stateful, k))
			continue;
		a = judge(pair, 0, at, s, d, k);
		b = judge(pair, 1, at, s, d, k);
		if (small_differ(&a, &b) != (claims[k] != UNCLAIMED)) {
			blame(claims[k] == UNCLAIMED ? "a difference is missing" : "a difference is claimed that is none");
			return;
		}
		if (claims[k] == UNCLAIMED)
			continue;
		differing_packets++;
		piece = &pieces->items[claims[k]];
		if (!same_verdict(&pair->side[0].image, &piece->verdict[0], &a) ||
		    !same_verdict(&pair->side[1].image, &piece->verdict[1], &b))
			blame("a difference has another verdict");
	}
}

static void check_compare(struct pair *pair, size_t number, const struct gpc_atlas_place *place)
{
	bool stateful = is_stateful(place, 0) || is_stateful(place, 1);
	struct gpc_atlas_pieces pieces;

	if (gpc_atlas_compare(pair->atlas, number, &pieces) != GPC_ATLAS_DONE) {
		blame(gpc_atlas_fault(pair->atlas));
		return;
	}
	claim(pair, &pieces, NULL, stateful);
	for (uint32_t s = 0; s < SMALL_ADDRESSES; s++)
		for (uint32_t d = 0; d < SMALL_ADDRESSES; d++)
			if (small_family(s) == small_family(d))
				check_pair(pair, &pieces, asked_of(pair, place), stateful, s, d);
}

/* Every witness, and gpc_explain() of it. */
static void check_witnesses(struct pair *pair, const struct gpc_atlas_pieces *pieces, unsigned int image,
			    const struct gpc_atlas_place *place)
{
	struct gpc_explain_point point = {place->index[image], place->direction, place->chain[image]};

	for (size_t i = 0; i < pieces->count && place->index[image] != GPC_NONE; i++) {
		const struct gpc_atlas_verdict *said = &pieces->items[i].verdict[image];
		struct gpc_question witness = pieces->items[i].witness;
		struct gpc_explanation e;

		if (pair->options.enforce_audit ||
		    (witness.protocol == IPPROTO_ICMPV6 && witness.destination_port >> 8 > 129))
			continue; /* audit policies are not enforced there; built-ins are first there */
		gpc_explain(&pair->side[image].image, &point, &witness, false, &e);
		if (e.action != said->action || e.rule != said->rule || e.policy != said->policy ||
		    (gpc_atlas_passes(said) && e.listener != said->listener))
			blame("a witness is explained otherwise");
	}
}

/* ---- one image ---- */

static bool any_verdict(void *context, const struct gpc_atlas_verdict *verdict)
{
	(void)context;
	(void)verdict;
	return true;
}

static void check_survey(struct pair *pair, size_t number, const struct gpc_atlas_place *place)
{
	unsigned int image = small_random(2);
	struct gpc_atlas_query query = {.place = number, .image = image, .service = GPC_NONE, .wanted = any_verdict};
	struct asked at = asked_of(pair, place);
	struct gpc_atlas_pieces pieces;

	if (gpc_atlas_survey(pair->atlas, &query, &pieces) != GPC_ATLAS_DONE) {
		blame(gpc_atlas_fault(pair->atlas));
		return;
	}
	claim(pair, &pieces, &query, is_stateful(place, image));
	for (uint32_t s = 0; s < SMALL_ADDRESSES; s++)
		for (uint32_t d = 0; d < SMALL_ADDRESSES; d++)
			for (uint32_t k = 0; k < small_packet_count; k++) {
				uint32_t piece = claim_at(pair, s, d)[k];
				struct small_verdict v;

				if (small_family(s) != small_family(d) || !counts(pair, is_stateful(place, image), k))
					continue;
				v = judge(pair, image, at, s, d, k);
				if (piece == UNCLAIMED)
					blame("a packet is in no piece");
				else if (!same_verdict(&pair->side[image].image, &pieces.items[piece].verdict[image], &v))
					blame("a piece has another verdict");
			}
	check_witnesses(pair, &pieces, image, place);
}

/* ---- the first packet ---- */

static bool is_first_at(const struct gpc_question *p, const struct gpc_question *witness)
{
	return p->protocol == witness->protocol && p->destination_port == witness->destination_port;
}

/* The lowest packet that passes from set 0 to set 1 and that the service holds, or does not. */
static bool slow_first(const struct pair *pair, unsigned int image, struct asked at, bool stateful,
		       uint32_t *ret_source, uint32_t *ret_destination, struct gpc_question *ret)
{
	for (uint32_t s = 0; s < SMALL_ADDRESSES; s++)
		for (uint32_t d = 0; d < SMALL_ADDRESSES; d++) {
			bool found = false;

			if (!(pair->set_masks[0] >> s & pair->set_masks[1] >> d & 1) ||
			    small_family(s) != small_family(d))
				continue;
			for (uint32_t k = 0; k < small_packet_count; k++) {
				const struct gpc_question *p = &small_packets[k];
				struct small_verdict v;

				if (!is_asked(p) || !counts(pair, stateful, k))
					continue;
				v = judge(pair, image, at, s, d, k);
				if (!small_passes(&v) ||
				    (found && (p->protocol > ret->protocol ||
					       (p->protocol == ret->protocol &&
						p->destination_port >= ret->destination_port))))
					continue;
				found = true;
				*ret = *p;
			}
			*ret_source = s;
			*ret_destination = d;
			if (found)
				return true;
		}
	return false;
}

/* Sets with addresses outside of the block have lower ones than the universe. */
static bool is_block(uint32_t mask)
{
	return !(mask >> SMALL_BLOCK & 1 || mask >> (SMALL_FAMILY + SMALL_BLOCK) & 1);
}

static void check_first(struct pair *pair, size_t number, const struct gpc_atlas_place *place)
{
	unsigned int image = small_random(2);
	uint32_t from = 0, to = 1, source, destination;
	struct gpc_atlas_query query = {
		.place = number,
		.image = image,
		.sources = gpc_atlas_atoms_in(&pair->arena, pair->atlas, GPC_ATLAS_SOURCE, &from, 1),
		.destinations = gpc_atlas_atoms_in(&pair->arena, pair->atlas, GPC_ATLAS_DESTINATION, &to, 1),
	};
	struct gpc_atlas_piece piece;
	struct gpc_question expected = {0};
	__u64 address[2];

	if (!is_block(pair->set_masks[0]) || !is_block(pair->set_masks[1]))
		return;
	if (!slow_first(pair, image, asked_of(pair, place), is_stateful(place, image), &source, &destination, &expected)) {
		if (gpc_atlas_first(pair->atlas, &query, &piece) != GPC_ATLAS_NONE)
			blame("a first packet is found where none is");
		queries_missed++;
		return;
	}
	queries_hit++;
	if (gpc_atlas_first(pair->atlas, &query, &piece) != GPC_ATLAS_DONE) {
		blame("the first packet is not found");
		return;
	}
	small_address(source, address);
	if (memcmp(address, piece.witness.source, sizeof(address)))
		blame("the first packet has another source");
	small_address(destination, address);
	if (memcmp(address, piece.witness.destination, sizeof(address)))
		blame("the first packet has another destination");
	if (!is_first_at(&expected, &piece.witness))
		blame("the first packet has another protocol or port");
}

/* ---- all ---- */

static void check_place(struct pair *pair, size_t number)
{
	size_t count;
	const struct gpc_atlas_place *place = &gpc_atlas_places(pair->atlas, &count)[number];

	check_compare(pair, number, place);
	check_survey(pair, number, place);
	check_first(pair, number, place);
}

static void check_seed(uint64_t seed)
{
	static struct pair pair;
	size_t count;

	wrong = NULL;
	small_seed(seed);
	if (open_pair(&pair, !small_random(6))) {
		gpc_atlas_places(pair.atlas, &count);
		for (size_t i = 0; i < count && !wrong; i++)
			check_place(&pair, i);
	} else {
		refused++;
	}
	if (wrong) {
		printf("GPC_SEED=%llu: %s\n--- before\n%s--- after\n%s", (unsigned long long)seed, wrong,
		       pair.side[0].text, pair.side[1].text ? pair.side[1].text : "");
		CU_FAIL("a claim is wrong");
	}
	close_pair(&pair);
}

static void random_pairs(void)
{
	const char *seed = getenv("GPC_SEED"), *is_long = getenv("GPC_CHECK_LONG");
	uint64_t pairs = is_long && *is_long ? PAIRS_LONG : PAIRS_SHORT, begin = time(NULL);

	pair_seed = seed ? strtoull(seed, NULL, 10) : 1;
	if (seed)
		pairs = 1;
	for (uint64_t i = 0; i < pairs && !wrong; i++)
		check_seed(pair_seed + i);
	printf("%llu pairs (%llu refused by the compiler), %llu packets treated differently, %llu pieces, "
	       "%llu first packets, %llu queries without, %llu s\n",
	       (unsigned long long)pairs, (unsigned long long)refused, (unsigned long long)differing_packets,
	       (unsigned long long)pieces_seen, (unsigned long long)queries_hit,
	       (unsigned long long)queries_missed, (unsigned long long)time(NULL) - begin);
	CU_ASSERT(seed || (differing_packets > 1000 * pairs && refused < pairs / 10 && queries_hit > pairs / 10 &&
			   queries_missed > pairs / 10));
}

GPC_UNIT_MAIN("oracle/atlas", {"random pairs of small planes", random_pairs})
