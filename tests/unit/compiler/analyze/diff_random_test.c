/* SPDX-License-Identifier: MIT */
/*
 * The semantic diff of random pairs of planes, in a universe of some addresses and ports: the words of the diff are
 * read back and held against every packet. GPC_CHECK_LONG=1: 10,000 pairs.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "analyze/explain.h"
#include "analyze/packet.h"
#include "diff_pair.h"
#include "image/segments.h"
#include "tests/oracle/random.h"

/* What each plane is with all policies in force, and what it does to a packet. */
struct world {
	struct gpc_image image[2];
	struct gpc_explanation e[2];
};

/* ---- planes ---- */

#define SEGMENTS 4
#define MAX_RULES 7

struct text {
	char bytes[8192];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->used += (size_t)vsnprintf(t->bytes + t->used, sizeof(t->bytes) - t->used, format, args);
	va_end(args);
	if (t->used >= sizeof(t->bytes))
		abort();
}

static void put_prefix(struct text *t, struct random_source *r)
{
	unsigned int bits = (unsigned int)random_below(r, 4);
	unsigned int at = (unsigned int)random_below(r, 8) >> bits << bits;

	if (random_below(r, 2))
		put(t, "10.0.0.%u/%u", at, 32 - bits);
	else
		put(t, "\"2001:db8::%x/%u\"", at, 128 - bits);
}

static void put_party(struct text *t, struct random_source *r, const char *key)
{
	switch (random_below(r, 4)) {
	case 0:
		return;
	case 1:
		put(t, ", %s: ", key);
		put_prefix(t, r);
		return;
	default:
		put(t, ", %s: s%u", key, (unsigned int)random_below(r, SEGMENTS));
	}
}

/* With a rate now and then: of a deny what exceeds it may be allowed. */
static void put_action(struct text *t, struct random_source *r)
{
	static const char *const actions[] = {"allow", "allow", "deny", "deny", "reject", "log"};
	static const char *const beyond[] = {"deny", "reject", "allow", "reject", "allow"};
	size_t i = random_below(r, 6);

	put(t, ", action: %s", actions[i]);
	if (i < 5 && !random_below(r, 4))
		put(t, ", rate: {limit: %u/s, exceed: %s}", random_below(r, 2) ? 1 : 2, beyond[i]);
}

static void put_rule(struct text *t, struct random_source *r, unsigned int number, bool protect)
{
	static const char *const ports[] = {"any",   "tcp", "tcp/80",	  "tcp/80-81",	     "tcp/81-443",
					    "udp/80", "udp", "proto/gre", "icmp/echo-request", "icmp6", "icmp", "tcp/0-65535"};
	size_t before;

	put(t, "  - {name: %s%u", protect ? "p" : "r", number);
	before = t->used;
	put_party(t, r, "from");
	put_party(t, r, "to");
	if (random_below(r, 3) || (protect && t->used == before)) {
		put(t, ", ports: [%s", ports[random_below(r, 12)]);
		if (random_below(r, 2))
			put(t, ", %s", ports[random_below(r, 12)]);
		put(t, "]");
	}
	if (!protect)
		put_action(t, r);
	put(t, "}\n");
}

/* The source of one object: its own, so that others stay as they are when it changes. */
static struct random_source source(uint64_t seed, uint64_t other, unsigned int kind, unsigned int i)
{
	struct random_source which = {(seed ^ other * 3) * 1000 + kind * 50 + i};

	return (struct random_source){(random_below(&which, 4) ? seed : seed + other) * 1000 + kind * 50 + i};
}

/* Items of `interfaces`; of two planes, devices are often taken by items of other names. */
static const char *const interfaces[][2] = {{"a0", "b0"}, {"a0", "b0"}, {"a*", "b0"}, {"a0", "a*"}, {"b*", "a0"}};
static const char *const devices[] = {"a0", "a1", "b0", "b1"};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

/* Of one seed; what `other` changes differs between two planes. `enforced`: no policy audits. */
static void write_plane(struct text *t, uint64_t seed, uint64_t other, bool enforced)
{
	struct random_source r = {seed}, o = source(seed, other, 6, 0);
	const char *const *names = interfaces[random_below(&o, sizeof(interfaces) / sizeof(interfaces[0]))];
	unsigned int rules = 1 + (unsigned int)random_below(&r, MAX_RULES);
	bool stateful = random_below(&r, 2), egress = random_below(&r, 2);

	t->used = 0;
	put(t, "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ndefaults: {on-fail: pass}\n"
	       "interfaces:\n  - {name: \"%s\", mode: any, hooks: [xdp, tc-egress]}\n"
	       "  - {name: \"%s\", mode: any, hooks: [xdp, tc-egress]}\nsegments:\n",
	    names[0], names[1]);
	for (unsigned int i = 0; i < SEGMENTS; i++) {
		o = source(seed, other, 1, i);
		put(t, "  - {name: s%u, cidrs: [", i);
		put_prefix(t, &o);
		if (random_below(&o, 2)) {
			put(t, ", ");
			put_prefix(t, &o);
		}
		if (i && random_below(&o, 4) == 0)
			put(t, "], except: [s%u]}\n", i - 1);
		else
			put(t, "]}\n");
	}
	put(t, "listeners:\n");
	for (unsigned int i = 0; i < 2; i++) {
		o = source(seed, other, 2, i);
		put(t, "  - {name: l%u, address: 10.0.0.%u, protocol: TCP, port: %u, forward: pass}\n",
		    i, 6 + i, random_below(&o, 3) ? 80 : 81);
	}
	put(t, "rules:\n");
	for (unsigned int i = 0; i < rules; i++) {
		o = source(seed, other, 3, i);
		put_rule(t, &o, i, false);
	}
	put(t, "policies:\n");
	for (unsigned int p = 0; p < 2; p++) {
		unsigned int where;
		bool audit;

		o = source(seed, other, 4, p);
		where = (unsigned int)random_below(&o, 4);
		audit = !random_below(&o, 3) && !enforced;
		put(t, "  - {name: q%u, interfaces: [\"%s\"", p, names[where == 3]);
		if (where == 1 || where == 2)
			put(t, ", \"%s\"", names[1]);
		put(t, "], direction: %s, stateful: %s, default: %s, mode: %s, rules: [",
		    p && egress ? "egress" : "ingress", stateful ? "true" : "false",
		    random_below(&o, p ? 6 : 2) ? "pass" : "deny", audit ? "audit" : "enforce");
		for (unsigned int i = 0; i < rules; i++)
			if (random_below(&o, 5))
				put(t, "%sr%u", t->bytes[t->used - 1] == '[' ? "" : ", ", i);
		put(t, "]}\n");
	}
	if (random_below(&r, 2)) {
		o = source(seed, other, 5, 0);
		put(t, "protect:\n");
		put_rule(t, &o, 0, true);
	}
}

/* ---- what the words mean ---- */

static bool party_holds(struct pair *pair, const struct gpc_party *party, const __u64 address[2])
{
	struct gpc_ip ip;
	bool held = false;

	memcpy(ip.bytes, address, sizeof(ip.bytes));
	for (size_t i = 0; i < party->name_count && !held; i++)
		for (int image = 1; image >= 0; image--) {
			size_t count, k;
			struct gpc_image_segment *list =
				gpc_image_segments(&pair->image[image], &pair->arena, &count);

			for (k = 0; k < count && strcmp(list[k].name, party->names[i]); k++)
				;
			if (k == count)
				continue;
			held = gpc_set_holds(list[k].set, &ip);
			break;
		}
	for (size_t i = 0; i < party->prefix_count && !held; i++)
		held = gpc_set_holds(gpc_set_of_prefixes(&pair->arena, &party->prefixes[i], 1), &ip);
	return held != party->but;
}

static bool number_in(const char *text, uint32_t value)
{
	char *end;
	unsigned long first = strtoul(text, &end, 10), last = first;

	if (*end == '-')
		last = strtoul(end + 1, &end, 10);
	return value >= first && value <= last;
}

static bool fragments_hold(const char *text, uint8_t fragment)
{
	const char *at = strstr(text, " fragments");

	if (!at)
		return true;
	if (strstr(text, " not later fragments") || strstr(text, " no fragments"))
		return fragment == GPC_FRAGMENT_NONE;
	if (strstr(text, " not first fragments"))
		return true;
	return fragment == GPC_FRAGMENT_LATER && !strstr(text, " first fragments");
}

/* What stands behind the ports: does it hold a SYN (or what is not TCP) from port 40000, as this fragment? */
static bool is_held_behind(const char *text, const struct gpc_question *q)
{
	const char *flags = strstr(text, " flags "), *from = strstr(text, " from port");
	bool syn = !flags || q->protocol != IPPROTO_TCP || q->fragment == GPC_FRAGMENT_LATER;

	for (const char *at = flags ? flags + 6 : NULL; at && *at && !syn; at = strpbrk(at + 1, "| "))
		syn = !strncmp(at + 1, "syn", 3) && (!at[4] || strchr("| ", at[4]));
	if (from && !number_in(from + (from[10] == 's' ? 12 : 11), 40000))
		return false;
	return syn && fragments_hold(text, q->fragment);
}

/* "tcp", "tcp/80-81", "icmp/8/0", "proto/47", "any"; nothing else is said of these planes. */
static bool service_holds(const char *text, const struct gpc_question *q)
{
	static const struct {
		const char *name;
		uint8_t protocol;
	} names[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"sctp", IPPROTO_SCTP},
		     {"icmp", IPPROTO_ICMP}, {"icmp6", IPPROTO_ICMPV6}};
	char word[64];
	const char *slash;
	size_t length;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, " "), text);
	slash = strchr(word, '/');
	length = slash ? (size_t)(slash - word) : strlen(word);

	if (!is_held_behind(text, q))
		return false;
	if (!strcmp(word, "any"))
		return true;
	if (!strncmp(word, "proto/", 6)) {
		slash = strchr(word + 6, '/');
		return number_in(word + 6, q->protocol) &&
		       (!slash || q->destination_port == GPC_PORT_NONE || number_in(slash + 1, q->destination_port));
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].name) != length || memcmp(word, names[i].name, length))
			continue;
		if (q->protocol != names[i].protocol)
			return false;
		if (!slash)
			return true;
		if (names[i].protocol != IPPROTO_ICMP && names[i].protocol != IPPROTO_ICMPV6)
			return number_in(slash + 1, q->destination_port);
		slash = strchr(slash + 1, '/') ? slash : NULL;
		return number_in(word + length + 1, q->destination_port >> 8) &&
		       (!slash || number_in(strchr(slash + 1, '/') + 1, q->destination_port & 255));
	}
	return false;
}

static bool space_holds(struct pair *pair, const struct gpc_diff_space *space, size_t place,
			const struct gpc_question *q)
{
	bool here = false, served = false;

	for (size_t i = 0; i < space->place_count; i++)
		here |= space->places[i] == place;
	for (size_t i = 0; i < space->service_count && here && !served; i++)
		served = service_holds(space->services[i], q);
	return served != space->services_but && here && party_holds(pair, &space->from, q->source) &&
	       party_holds(pair, &space->to, q->destination);
}

/* ---- every packet ---- */

#define ADDRESSES 9u
#define KINDS 15u

static void put_address(__u64 to[2], bool v6, unsigned int i)
{
	char text[32];
	struct gpc_ip ip;

	snprintf(text, sizeof(text), v6 ? i < 8 ? "2001:db8::%x" : "2001:db9::%x" : i < 8 ? "10.0.0.%u" : "192.0.2.%u", i);
	gpc_ip_parse(text, strlen(text), &ip);
	memcpy(to, ip.bytes, sizeof(ip.bytes));
}

/* Packet `i` of the universe; false behind the last. */
static bool packet_at(unsigned int i, struct gpc_question *ret)
{
	static const struct {
		uint8_t protocol, fragment;
		uint32_t port, v6_port;
		bool in_mid_stream;
	} kinds[KINDS] = {
		{IPPROTO_TCP, 0, 79, 79, false}, {IPPROTO_TCP, 0, 80, 80, false}, {IPPROTO_TCP, 0, 81, 81, false},
		{IPPROTO_TCP, 0, 443, 443, false}, {IPPROTO_TCP, 0, 80, 80, true}, {IPPROTO_UDP, 0, 80, 80, false},
		{IPPROTO_UDP, 0, 53, 53, false}, {47, 0, GPC_PORT_NONE, GPC_PORT_NONE, false},
		{IPPROTO_SCTP, 0, 80, 80, false},
		{IPPROTO_TCP, GPC_FRAGMENT_LATER, GPC_PORT_NONE, GPC_PORT_NONE, false},
		{IPPROTO_UDP, GPC_FRAGMENT_LATER, GPC_PORT_NONE, GPC_PORT_NONE, false},
		{47, GPC_FRAGMENT_LATER, GPC_PORT_NONE, GPC_PORT_NONE, false},
		{IPPROTO_ICMP, 0, 8 << 8, 128 << 8, false}, {IPPROTO_ICMP, 0, 3 << 8 | 1, 1 << 8, false},
		{IPPROTO_ICMP, GPC_FRAGMENT_LATER, GPC_PORT_NONE, GPC_PORT_NONE, false}};
	unsigned int kind = i % KINDS;
	bool v6 = i / KINDS % 2, icmp = kinds[kind].protocol == IPPROTO_ICMP;

	*ret = (struct gpc_question){.vlan = GPC_VLAN_NONE, .family = v6 ? GPC_V6 : GPC_V4};
	ret->protocol = icmp && v6 ? IPPROTO_ICMPV6 : kinds[kind].protocol;
	ret->fragment = kinds[kind].fragment;
	ret->destination_port = v6 ? kinds[kind].v6_port : kinds[kind].port;
	ret->source_port = icmp || ret->destination_port == GPC_PORT_NONE ? GPC_PORT_NONE : 40000;
	if (ret->protocol == IPPROTO_TCP && !ret->fragment)
		ret->tcp_flags = kinds[kind].in_mid_stream ? GPC_ASK_ACK : GPC_ASK_SYN;
	put_address(ret->source, v6, i / (2 * KINDS) % ADDRESSES);
	put_address(ret->destination, v6, i / (2 * KINDS) / ADDRESSES);
	return i / (2 * KINDS) / ADDRESSES < ADDRESSES;
}

static const struct gpc_rule *rule_of(const struct gpc_image *image, const struct gpc_explanation *e)
{
	return e->rule == GPC_NONE ? NULL : gpc_rule_at(image->view, e->rule);
}

/* What exceeds the rate of a deny may be let through. */
static bool passes(const struct gpc_image *image, const struct gpc_explanation *e)
{
	const struct gpc_rule *rule = rule_of(image, e);

	return e->action == GPC_ACTION_PASS || e->action == GPC_ACTION_ALLOW ||
	       (rule && rule->exceed == GPC_ACTION_ALLOW);
}

/* What is done, at what rate, and beyond it, in numbers. */
static const char *limit_of(const struct gpc_image *image, const struct gpc_explanation *e, char out[64])
{
	const struct gpc_rule *rule = rule_of(image, e);

	if (!rule || !rule->rate_cost)
		return "none";
	snprintf(out, 64, "%d %llu %d", rule->exceed == GPC_ACTION_ALLOW ? (int)e->action : 0,
		 (unsigned long long)rule->rate_cost, rule->exceed);
	return out;
}

static uint64_t listener_of(const struct gpc_image *image, const struct gpc_explanation *e)
{
	uint32_t count;
	const struct gpc_listener *list = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	return e->listener == GPC_NONE ? 0 : list[e->listener].id;
}

static bool is_so(const struct world *w, enum gpc_diff_effect effect)
{
	const struct gpc_explanation *e = w->e;
	bool before = passes(&w->image[0], &e[0]), after = passes(&w->image[1], &e[1]);
	char limit[2][64];

	switch (effect) {
	case GPC_DIFF_ALLOWED:
		return !before && after;
	case GPC_DIFF_DENIED:
		return before && !after;
	case GPC_DIFF_LIMITED:
		return before == after && strcmp(limit_of(&w->image[0], &e[0], limit[0]),
						 limit_of(&w->image[1], &e[1], limit[1])) != 0;
	case GPC_DIFF_ANSWERED:
		return !before && !after && e[0].action != e[1].action;
	default:
		return before && after &&
		       listener_of(&w->image[0], &e[0]) != listener_of(&w->image[1], &e[1]);
	}
}

/* Of an effect that two worlds have: is it from the same to the same? */
static bool is_same_move(const struct world *a, const struct world *b, enum gpc_diff_effect effect)
{
	char limit[2][64];

	for (int i = 0; i < 2; i++) {
		const struct gpc_explanation *x = &a->e[i], *y = &b->e[i];

		if (effect == GPC_DIFF_ANSWERED && x->action != y->action)
			return false;
		if (effect == GPC_DIFF_LISTENER &&
		    listener_of(&a->image[i], x) != listener_of(&b->image[i], y))
			return false;
		if (effect == GPC_DIFF_LIMITED && strcmp(limit_of(&a->image[i], x, limit[0]),
							 limit_of(&b->image[i], y, limit[1])) != 0)
			return false;
	}
	return true;
}

/* The move that a space shows, as if its witness were asked. */
static struct world shown_by(const struct pair *pair, const struct gpc_diff_space *space)
{
	struct world w = {.image = {pair->image[0], pair->image[1]}};

	for (int i = 0; i < 2; i++)
		w.e[i] = (struct gpc_explanation){.action = space->verdict[i].action,
						  .rule = space->verdict[i].rule,
						  .listener = space->verdict[i].listener};
	return w;
}

/* What one would look at for a device: the item of its name, else the one with the longest head. */
static const char *name_of(const char *device, const char *const *names, size_t count)
{
	const char *best = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(names[i]);

		if (!strcmp(names[i], device))
			return names[i];
		if (names[i][length - 1] == '*' && !strncmp(names[i], device, length - 1) &&
		    (!best || length > strlen(best)))
			best = names[i];
	}
	return best;
}

static bool is_place_of(const struct pair *pair, size_t place, const char *device)
{
	const char *names[16], *found;

	for (size_t i = 0; i < pair->diff.place_count; i++)
		names[i] = pair->diff.places[i].interface;
	found = name_of(device, names, pair->diff.place_count);
	return found && !strcmp(found, pair->diff.places[place].interface);
}

static struct gpc_explain_point point_of(const struct gpc_image *image, const char *device,
					 enum gpc_direction direction)
{
	struct gpc_explain_point point = {.interface = GPC_NONE, .direction = direction};
	uint32_t count, chains;
	const struct gpc_interface *list = gpc_image_section(image, GPC_SEC_INTERFACE, &count);
	const struct gpc_chain *chain = gpc_image_section(image, GPC_SEC_CHAIN, &chains);
	const char *names[2], *found;

	for (uint32_t i = 0; i < count; i++)
		names[i] = gpc_image_name(image, list[i].name);
	found = name_of(device, names, count);
	for (uint32_t i = 0; i < count && found; i++)
		if (names[i] == found)
			point.interface = i;
	for (uint32_t i = 0; i < chains; i++)
		if (chain[i].interface == point.interface && chain[i].direction == direction)
			point.chain = &chain[i];
	return point;
}

static bool is_stateful(const struct gpc_atlas_place *place)
{
	return (place->chain[0] && place->chain[0]->flags & GPC_CHAIN_STATEFUL) ||
	       (place->chain[1] && place->chain[1]->flags & GPC_CHAIN_STATEFUL);
}

static bool opens(const struct gpc_question *q)
{
	if (q->fragment == GPC_FRAGMENT_LATER)
		return false;
	if (q->protocol == IPPROTO_ICMP || q->protocol == IPPROTO_ICMPV6)
		return q->destination_port >> 8 == (q->protocol == IPPROTO_ICMP ? 8 : 128);
	return q->protocol != IPPROTO_TCP || q->tcp_flags == GPC_ASK_SYN;
}

/* In mid-stream something is told only where nothing else is. */
static bool is_told(const struct pair *pair, const struct gpc_atlas_place *place, const struct gpc_question *q)
{
	return !is_stateful(place) || q->tcp_flags != GPC_ASK_ACK || pair->diff.same;
}

static void ask_at(struct world *w, int image, struct gpc_explain_point point, const struct gpc_question *q)
{
	if (point.interface == GPC_NONE)
		w->e[image] = (struct gpc_explanation){.listener = GPC_NONE, .rule = GPC_NONE};
	else
		gpc_explain(&w->image[image], &point, q, false, &w->e[image]);
}

static void ask(struct world *w, const char *device, enum gpc_direction direction, const struct gpc_question *q)
{
	for (int image = 0; image < 2; image++)
		ask_at(w, image, point_of(&w->image[image], device, direction), q);
}

static bool is_claimed(struct pair *pair, const struct world *w, enum gpc_diff_effect effect, bool enforced,
		       size_t place, const struct gpc_question *q)
{
	for (size_t i = 0; i < pair->diff.space_count; i++) {
		const struct gpc_diff_space *space = &pair->diff.spaces[i];
		struct world shown = shown_by(pair, space);

		if (space->effect == effect && space->enforced == enforced &&
		    (space->opens || !opens(q)) && is_same_move(&shown, w, effect) &&
		    space_holds(pair, space, place, q))
			return true;
	}
	return false;
}

/* Number of claims that are wrong or missing at one packet, of a device, and place: now, and once audit enforces. */
static unsigned int faults_at(struct pair *pair, struct world worlds[2], size_t place, const char *device,
			      const struct gpc_question *q)
{
	unsigned int faults = 0;
	char text[GPC_PACKET_TEXT];

	if (!is_told(pair, &pair->diff.places[place], q))
		return 0;
	for (int later = 0; later < 2; later++)
		ask(&worlds[later], device, pair->diff.places[place].direction, q);
	for (int i = 0; i < 2 * (GPC_DIFF_LIMITED + 1); i++) {
		enum gpc_diff_effect effect = (enum gpc_diff_effect)(i / 2);
		bool later = i % 2, so = is_so(&worlds[later], effect), claimed;

		if (later && is_so(&worlds[0], effect) && is_same_move(&worlds[0], &worlds[1], effect))
			so = false;
		claimed = is_claimed(pair, &worlds[later], effect, later, place, q);
		if (claimed != so && !faults++)
			fprintf(stderr, "%s %s: %s %s%s, not so\n", device, gpc_packet_format(q, text),
				claimed ? "claimed" : "missing", gpc_diff_effect_name(effect),
				later ? " later" : "");
	}
	return faults;
}

/* What a space shows is in it, and treated as it says. */
static bool is_witnessed(struct pair *pair, struct world *w, const struct gpc_diff_space *space)
{
	const struct gpc_atlas_place *at = &pair->diff.places[space->witness_place];
	struct world shown = shown_by(pair, space);

	for (int image = 0; image < 2; image++)
		ask_at(w, image, (struct gpc_explain_point){at->index[image], at->direction, at->chain[image]},
		       &space->witness);
	return (space->opens || !opens(&space->witness)) &&
	       party_holds(pair, &space->from, space->witness.source) &&
	       party_holds(pair, &space->to, space->witness.destination) &&
	       (space->effect > GPC_DIFF_LIMITED ||
		(is_so(w, space->effect) && is_same_move(&shown, w, space->effect)));
}

static unsigned int check_witnesses(struct pair *pair, struct world worlds[2])
{
	unsigned int faults = 0;

	for (size_t i = 0; i < pair->diff.space_count; i++)
		faults += !is_witnessed(pair, &worlds[pair->diff.spaces[i].enforced], &pair->diff.spaces[i]);
	return faults;
}

static const char *services_of(struct pair *pair, const struct gpc_diff_space *space)
{
	const char *text = space->services_but ? "any but" : "";

	for (size_t i = 0; i < space->service_count; i++)
		text = gpc_arena_printf(&pair->arena, "%s %s", text, space->services[i]);
	return text;
}

/* Lines of one place that agree in two of from, to and services are one line. */
static bool are_one(struct pair *pair, const struct gpc_diff_space *a, const struct gpc_diff_space *b)
{
	bool from = !strcmp(gpc_party_text(&pair->arena, &a->from, 0), gpc_party_text(&pair->arena, &b->from, 0));
	bool to = !strcmp(gpc_party_text(&pair->arena, &a->to, 0), gpc_party_text(&pair->arena, &b->to, 0));
	bool services = !strcmp(services_of(pair, a), services_of(pair, b));

	return a->effect == b->effect && a->move == b->move && a->enforced == b->enforced &&
	       a->witness_place == b->witness_place && from + to + services > 1;
}

static unsigned int check_lines(struct pair *pair)
{
	unsigned int faults = 0;

	for (size_t i = 0; i < pair->diff.space_count; i++)
		for (size_t k = 0; k < i; k++)
			if (are_one(pair, &pair->diff.spaces[k], &pair->diff.spaces[i])) {
				fprintf(stderr, "lines %zu and %zu say what one could\n", k + 1, i + 1);
				faults++;
			}
	return faults;
}

/* The planes as they are, and the same where no policy audits. */
static void open_worlds(struct pair *pair, const char *const enforced[2], struct world worlds[2])
{
	for (int i = 0; i < 2; i++) {
		worlds[0].image[i] = pair->image[i];
		CU_ASSERT_FATAL(open_plane(pair, enforced[i], &worlds[1].image[i]));
	}
}

static unsigned int check_pair(uint64_t seed)
{
	static struct text a, b, c, d;
	struct world worlds[2];
	struct gpc_question q;
	unsigned int faults = 0;
	struct pair pair;

	write_plane(&a, seed, 0, false);
	write_plane(&b, seed, seed + 1, false);
	write_plane(&c, seed, 0, true);
	write_plane(&d, seed, seed + 1, true);
	compare(&pair, a.bytes, b.bytes);
	open_worlds(&pair, (const char *const[]){c.bytes, d.bytes}, worlds);
	faults += check_witnesses(&pair, worlds) + check_lines(&pair);
	for (size_t place = 0; place < pair.diff.place_count; place++)
		for (size_t device = 0; device < DEVICES; device++)
			for (unsigned int i = 0; is_place_of(&pair, place, devices[device]) && packet_at(i, &q); i++)
				faults += faults_at(&pair, worlds, place, devices[device], &q);
	if (faults)
		fprintf(stderr, "seed %llu: %u faults\n%s\n%s\n%s\n", (unsigned long long)seed,
			faults, a.bytes, b.bytes, spaces_of(&pair));
	for (int i = 0; i < 2; i++)
		gpc_image_release(&worlds[1].image[i]);
	release(&pair);
	return faults;
}

#ifdef __SANITIZE_ADDRESS__
#define PAIRS 6
#else
#define PAIRS 20
#endif

static void random_pairs_are_told_exactly(void)
{
	const char *is_long = getenv("GPC_CHECK_LONG");
	uint64_t pairs = is_long && *is_long ? 10000 : PAIRS;

	for (uint64_t seed = 1; seed <= pairs; seed++) {
		unsigned int faults = check_pair(seed);

		CU_ASSERT_EQUAL(faults, 0);
		if (faults)
			return;
	}
}

GPC_UNIT_MAIN("analyze/diff_random", {"random_pairs_are_told_exactly", random_pairs_are_told_exactly})
