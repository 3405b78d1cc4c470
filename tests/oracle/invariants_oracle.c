/* SPDX-License-Identifier: MIT */
/*
 * Invariants against brute force: random small planes, each packet of a small universe judged by going through
 * the rules as they were written (SEMANTICS 4.3, 5.1, 8), nothing of the compiler used. Every address and port at
 * which a rule, segment or listener begins or ends is in the universe, so what holds there holds everywhere, and
 * the lowest packet that breaks an invariant is in it too. Then each plane is mutated rule by rule (left out,
 * exchanged with the next, widened, its action turned, its rate given or taken) and all is asked again.
 *
 *   GPC_CHECK_LONG=1   thirty times as many planes
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/unit.h"
#include "analyze/invariants.h"
#include "base/memfiles.h"
#include "gpc/lookup/chain.h"
#include "pipeline.h"
#include "random.h"

#define PLANES 12u
#define LONG_FACTOR 30u

/* ---- the universe: addresses 0 and INSIDE + 1 are the lowest and the first above the eight inside ---- */

#define INSIDE 8u
#define ADDRESSES (INSIDE + 2)

static const char *address_text(int family, uint32_t index, char out[32])
{
	snprintf(out, 32, family == GPC_V4 ? index ? "10.0.0.%u" : "0.0.0.0" : index ? "2001:db8::%x" : "::", index - 1);
	return out;
}

struct packet {
	int family;
	uint32_t source, destination;
	uint8_t protocol;
	uint32_t source_port, port;	/* GPC_PORT_NONE */
	bool syn, later;
};

/* What a packet carries; ascending protocol and port, as witnesses are ordered. */
static const struct load {
	uint8_t protocol;
	uint32_t source_port, port;
	bool syn, later;
} loads[] = {
#define ICMP_LOADS(p)                                                                              \
	{p, GPC_PORT_NONE, 0, false, false}, {p, GPC_PORT_NONE, 0x100, false, false}, {p, GPC_PORT_NONE, 0x800, false, false}, \
		{p, GPC_PORT_NONE, 0x900, false, false}, {p, GPC_PORT_NONE, 0x8000, false, false}, \
		{p, GPC_PORT_NONE, 0x8100, false, false}, {p, GPC_PORT_NONE, GPC_PORT_NONE, false, true}
#define TCP_LOADS(port)                                                                            \
	{6, 40000, port, true, false}, {6, 40000, port, false, false}, {6, 22, port, true, false},  \
		{6, 22, port, false, false}
#define UDP_LOAD(port) {17, 40000, port, false, false}
#define PLAIN_LOAD(p) {p, GPC_PORT_NONE, GPC_PORT_NONE, false, false}
	PLAIN_LOAD(0), ICMP_LOADS(1), PLAIN_LOAD(2), TCP_LOADS(0), TCP_LOADS(22), TCP_LOADS(23),
	TCP_LOADS(53), TCP_LOADS(54), TCP_LOADS(80), TCP_LOADS(443), TCP_LOADS(444),
	{6, GPC_PORT_NONE, GPC_PORT_NONE, false, true}, PLAIN_LOAD(7), UDP_LOAD(0), UDP_LOAD(22),
	UDP_LOAD(23), UDP_LOAD(53), UDP_LOAD(54), UDP_LOAD(80), UDP_LOAD(443), UDP_LOAD(444),
	{17, GPC_PORT_NONE, GPC_PORT_NONE, false, true}, PLAIN_LOAD(18), PLAIN_LOAD(47),
	PLAIN_LOAD(48), ICMP_LOADS(58), PLAIN_LOAD(59), {132, 40000, 0, false, false},
	{132, GPC_PORT_NONE, GPC_PORT_NONE, false, true}, PLAIN_LOAD(133),
};
#define LOADS (sizeof(loads) / sizeof(loads[0]))
#define PACKETS (2 * ADDRESSES * ADDRESSES * LOADS)

/* In the order of witnesses: family, source, destination, protocol, port. */
static struct packet packet_at(size_t number)
{
	const struct load *load = &loads[number % LOADS];
	size_t pair = number / LOADS;

	return (struct packet){
		.family = (int)(pair / (ADDRESSES * ADDRESSES)),
		.source = (uint32_t)(pair / ADDRESSES % ADDRESSES),
		.destination = (uint32_t)(pair % ADDRESSES),
		.protocol = load->protocol,
		.source_port = load->source_port,
		.port = load->port,
		.syn = load->syn,
		.later = load->later,
	};
}

/* What opens a flow (SEMANTICS 5.4). */
static bool opens(const struct packet *p)
{
	if (p->later)
		return false;
	if (p->protocol == IPPROTO_TCP)
		return p->syn;
	if (p->protocol == IPPROTO_ICMP)
		return p->port >> 8 == 8;
	return p->protocol != IPPROTO_ICMPV6 || p->port >> 8 == 128;
}

/* ---- planes as plain data ---- */

enum { SEGMENTS = 4, RULES = 7, POLICIES = 5, POLICY_RULES = 4, INVARIANTS = 8, INTERFACES = 3 };
enum { ANY = -1, LISTENERS = -2 };	/* of a from, a to */

static const char *const ports_texts[] = {
	NULL,	 "[tcp/22]", "[tcp]",	   "[tcp/80-443, udp/53]", "[udp]", "[icmp/echo-request]",
	"[proto/47]", "[tcp/443]", "[tcp/23-79, icmp]", "[icmp/echo-reply]",
};
#define PORTS (sizeof(ports_texts) / sizeof(ports_texts[0]))

struct segment {
	struct {
		int family;
		uint32_t first, size;	/* size 0: the whole family */
	} prefix[2];
	size_t count;
};

struct rule {
	int from, to;
	size_t ports;
	enum gpc_action action;
	bool syn;
	bool limited;			/* by a rate; allow: beyond it denied, else beyond it allowed */
};

struct policy {
	uint32_t interface;
	enum gpc_direction direction;
	enum gpc_action fallback;
	bool audit;
	size_t rules[POLICY_RULES], count;
};

struct invariant {
	enum gpc_invariant_form form;
	int from, to;
	size_t ports;
	int interface;			/* ANY */
	enum gpc_direction direction;
	bool enforced;
};

struct endpoint {
	uint32_t address[2];		/* by family; 0: none */
	bool ready;
};

struct plane {
	struct segment segments[SEGMENTS];
	struct rule rules[RULES];
	struct policy policies[POLICIES];	/* of one chain in order */
	bool stateful[INTERFACES][2];
	int protect_from, protect_to;		/* LISTENERS: no item; ingress, tcp/22 */
	struct endpoint endpoints[2][2];	/* of two backends */
	bool failover;				/* of the second to the first */
	uint32_t interfaces;			/* the third, if there is one, has no policy */
	struct invariant invariants[INVARIANTS];
};

/* Listener 0: 10.0.0.7 TCP 443 to backend 0; listener 1: 2001:db8::7 UDP 53 to backend 1. */
static const struct {
	int family;
	uint8_t protocol;
	uint32_t port;
} listeners[2] = {{GPC_V4, IPPROTO_TCP, 443}, {GPC_V6, IPPROTO_UDP, 53}};
#define LISTENER_ADDRESS INSIDE

/* ---- what rules mean ---- */

static bool segment_holds(const struct segment *s, int family, uint32_t address)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->prefix[i].family == family &&
		    (!s->prefix[i].size || (address >= s->prefix[i].first &&
					    address < s->prefix[i].first + s->prefix[i].size)))
			return true;
	return false;
}

static bool set_holds(const struct plane *plane, int set, int family, uint32_t address)
{
	return set == ANY || segment_holds(&plane->segments[set], family, address);
}

static bool has_port(const struct packet *p, uint8_t protocol, uint32_t first, uint32_t last)
{
	return p->protocol == protocol && !p->later && p->port >= first && p->port <= last;
}

static bool ports_hold(size_t ports, const struct packet *p)
{
	switch (ports) {
	case 0:
		return true;
	case 1:
		return has_port(p, 6, 22, 22);
	case 2:
		return p->protocol == 6;
	case 3:
		return has_port(p, 6, 80, 443) || has_port(p, 17, 53, 53);
	case 4:
		return p->protocol == 17;
	case 5:
		return has_port(p, 1, 0x800, 0x8ff);
	case 6:
		return p->protocol == 47;
	case 7:
		return has_port(p, 6, 443, 443);
	case 8:
		return has_port(p, 6, 23, 79) || p->protocol == 1;
	default:
		return has_port(p, 1, 0, 0xff);
	}
}

/* Is it to a listener's address, and without `ports` to the listener? */
static bool goes_to_listeners(size_t ports, const struct packet *p)
{
	if (p->destination != LISTENER_ADDRESS)
		return false;
	return ports || (p->protocol == listeners[p->family].protocol &&
			 (p->later || p->port == listeners[p->family].port));
}

static bool goes_to(const struct plane *plane, int to, size_t ports, const struct packet *p)
{
	return to == LISTENERS ? goes_to_listeners(ports, p)
			       : set_holds(plane, to, p->family, p->destination);
}

static bool rule_holds(const struct plane *plane, const struct rule *rule, const struct packet *p)
{
	if (rule->syn && (p->protocol != IPPROTO_TCP || p->later || !p->syn))
		return false;
	return set_holds(plane, rule->from, p->family, p->source) &&
	       goes_to(plane, rule->to, rule->ports, p) && ports_hold(rule->ports, p);
}

static bool is_protected(const struct plane *plane, enum gpc_direction direction,
			 const struct packet *p)
{
	bool in = direction == GPC_INGRESS;
	uint32_t from = in ? p->source : p->destination, to = in ? p->destination : p->source;

	return plane->protect_from != LISTENERS && p->protocol == IPPROTO_TCP && !p->later &&
	       (in ? p->port : p->source_port) == 22 &&
	       set_holds(plane, plane->protect_from, p->family, from) &&
	       set_holds(plane, plane->protect_to, p->family, to);
}

/* NULL: its default. */
static const struct rule *rule_that_decides(const struct plane *plane, const struct policy *policy,
					    const struct packet *p)
{
	for (size_t i = 0; i < policy->count; i++)
		if (rule_holds(plane, &plane->rules[policy->rules[i]], p))
			return &plane->rules[policy->rules[i]];
	return NULL;
}

static bool is_of(const struct policy *policy, uint32_t interface, enum gpc_direction direction)
{
	return policy->count && policy->interface == interface && policy->direction == direction;
}

/* What a rate lets through at times passes, and is denied; a limited allow is an allow. */
enum passage { DENIED, AT_TIMES, PASSES };

static enum passage passage_of(const struct plane *plane, uint32_t interface,
			       enum gpc_direction direction, bool enforced, const struct packet *p)
{
	if (is_protected(plane, direction, p))
		return PASSES;
	for (size_t i = 0; i < POLICIES; i++) {
		const struct policy *policy = &plane->policies[i];
		const struct rule *rule;
		enum gpc_action says;

		if (!is_of(policy, interface, direction) || (policy->audit && !enforced))
			continue;
		rule = rule_that_decides(plane, policy, p);
		says = rule ? rule->action : policy->fallback;
		if (says == GPC_ACTION_ALLOW)
			return PASSES;
		if (says != GPC_ACTION_PASS)
			return rule && rule->limited ? AT_TIMES : DENIED;
	}
	return PASSES;
}

static bool is_stateful(const struct plane *plane, uint32_t interface, enum gpc_direction direction)
{
	for (size_t i = 0; i < POLICIES; i++)
		if (is_of(&plane->policies[i], interface, direction))
			return plane->stateful[interface][direction];
	return false;
}

/* The listener that takes it, -1: none. */
static int listener_of(enum gpc_direction direction, const struct packet *p)
{
	return direction == GPC_INGRESS && p->destination == LISTENER_ADDRESS && !p->later &&
			       p->protocol == listeners[p->family].protocol &&
			       p->port == listeners[p->family].port
		       ? p->family
		       : -1;
}

static bool backend_lies_in(const struct plane *plane, size_t backend, int set)
{
	for (size_t i = 0; i < 2; i++)
		for (int family = GPC_V4; family <= GPC_V6; family++) {
			uint32_t address = plane->endpoints[backend][i].address[family];

			if (address && set_holds(plane, set, family, address))
				return true;
		}
	return false;
}

/* `to: {listeners}` means their addresses, where no endpoint is. */
static bool leads_into(const struct plane *plane, int listener, int to)
{
	if (listener < 0 || to == LISTENERS)
		return false;
	return backend_lies_in(plane, (size_t)listener, to) ||
	       (listener == 1 && plane->failover && backend_lies_in(plane, 0, to));
}

/* ipip: a v4 listener sends to any address, a v6 one to v6. */
static bool backend_takes_flows(const struct plane *plane, size_t backend, int family)
{
	for (size_t i = 0; i < 2; i++)
		if (plane->endpoints[backend][i].ready &&
		    (family == GPC_V4 || plane->endpoints[backend][i].address[GPC_V6]))
			return true;
	return false;
}

static bool finds_table(const struct plane *plane, int listener)
{
	return backend_takes_flows(plane, (size_t)listener, listener) ||
	       (listener == 1 && plane->failover && backend_takes_flows(plane, 0, GPC_V6));
}

/* Does the packet, which is judged there, break it? */
static bool breaks(const struct plane *plane, const struct invariant *i, const struct packet *p,
		   enum gpc_direction direction, enum passage passage)
{
	int listener = listener_of(direction, p);
	bool from = set_holds(plane, i->from, p->family, p->source);
	bool to = goes_to(plane, i->to, i->ports, p), ports = ports_hold(i->ports, p);
	bool reaches = to || leads_into(plane, listener, i->to);

	if (i->form == GPC_INVARIANT_NEVER)
		return passage != DENIED && from && ports && reaches;
	if (i->form == GPC_INVARIANT_ONLY)
		return passage != DENIED && reaches && !(from && ports);
	return from && ports && to && (passage != PASSES || (listener >= 0 && !finds_table(plane, listener)));
}

/* ---- brute force ---- */

struct verdicts {
	uint8_t passage[INTERFACES][2][2][PACKETS];	/* interface, direction, enforced */
	bool judged[INTERFACES][2][PACKETS];
};

static void judge_all(const struct plane *plane, struct verdicts *v)
{
	for (uint32_t i = 0; i < INTERFACES; i++)
		for (int d = GPC_INGRESS; d <= GPC_EGRESS; d++) {
			bool stateful = is_stateful(plane, i, (enum gpc_direction)d);

			for (size_t n = 0; n < PACKETS; n++) {
				struct packet p = packet_at(n);

				v->judged[i][d][n] = !stateful || opens(&p);
				for (int enforced = 0; enforced < 2; enforced++)
					v->passage[i][d][enforced][n] = (uint8_t)passage_of(
						plane, i, (enum gpc_direction)d, enforced, &p);
			}
		}
}

/* The first packet that breaks it anywhere, PACKETS: it holds. */
static size_t first_break(const struct plane *plane, const struct verdicts *v,
			  const struct invariant *invariant, bool enforced)
{
	int d = invariant->direction;

	for (size_t n = 0; n < PACKETS; n++) {
		struct packet p = packet_at(n);

		for (uint32_t i = 0; i < plane->interfaces; i++)
			if ((invariant->interface == ANY || (int)i == invariant->interface) &&
			    v->judged[i][d][n] &&
			    breaks(plane, invariant, &p, (enum gpc_direction)d,
				   (enum passage)v->passage[i][d][enforced][n]))
				return n;
	}
	return PACKETS;
}

/* ---- random planes ---- */

static struct segment random_segment(struct random_source *r)
{
	struct segment s = {.count = 1 + random_below(r, 2)};

	for (size_t i = 0; i < s.count; i++) {
		uint32_t size = 1u << random_below(r, 4);

		s.prefix[i].family = (int)random_below(r, 2);
		s.prefix[i].size = random_chance(r, 10) ? 0 : size;
		s.prefix[i].first = 1 + (uint32_t)random_below(r, INSIDE / size) * size;
	}
	return s;
}

static int random_set(struct random_source *r)
{
	return random_chance(r, 25) ? ANY : (int)random_below(r, SEGMENTS);
}

static int random_target(struct random_source *r)
{
	return random_chance(r, 20) ? LISTENERS : random_set(r);
}

static size_t random_ports(struct random_source *r)
{
	return random_chance(r, 40) ? 0 : random_below(r, PORTS);
}

static enum gpc_action random_action(struct random_source *r)
{
	return random_chance(r, 50)   ? GPC_ACTION_ALLOW
	       : random_chance(r, 70) ? GPC_ACTION_DENY
				      : GPC_ACTION_REJECT;
}

static struct policy random_policy(struct random_source *r)
{
	struct policy p = {
		.interface = (uint32_t)random_below(r, 2),
		.direction = random_chance(r, 60) ? GPC_INGRESS : GPC_EGRESS,
		.fallback = random_chance(r, 75)   ? GPC_ACTION_DENY
			    : random_chance(r, 50) ? GPC_ACTION_PASS
						   : GPC_ACTION_ALLOW,
		.audit = random_chance(r, 40),
		.count = 1 + random_below(r, POLICY_RULES),
	};
	uint32_t order[RULES];

	for (uint32_t i = 0; i < RULES; i++)
		order[i] = i;
	random_shuffle(r, order, RULES);
	for (size_t i = 0; i < p.count; i++)
		p.rules[i] = order[i];
	return p;
}

static struct invariant random_invariant(struct random_source *r, uint32_t interfaces)
{
	struct invariant i = {
		.form = (enum gpc_invariant_form)random_between(r, GPC_INVARIANT_NEVER,
								GPC_INVARIANT_ONLY),
		.from = random_set(r),
		.to = random_target(r),
		.ports = random_chance(r, 12) ? PORTS - 1 : random_ports(r),
		.interface = ANY,
		.direction = GPC_INGRESS,
		.enforced = random_chance(r, 50),
	};

	if (i.form != GPC_INVARIANT_ONLY && random_chance(r, 75)) {
		i.interface = (int)(random_chance(r, 90) ? random_below(r, 2)
							 : random_below(r, interfaces));
		i.direction = random_chance(r, 70) ? GPC_INGRESS : GPC_EGRESS;
	}
	if (i.from == ANY && !i.ports)
		i.from = 0;
	return i;
}

static void random_plane(struct random_source *r, struct plane *plane)
{
	*plane = (struct plane){.protect_from = LISTENERS,
				.failover = random_chance(r, 50),
				.interfaces = random_chance(r, 30) ? 3 : 2};
	for (size_t i = 0; i < SEGMENTS; i++)
		plane->segments[i] = random_segment(r);
	for (size_t i = 0; i < RULES; i++)
		plane->rules[i] = (struct rule){random_set(r), random_target(r), random_ports(r),
						random_action(r), random_chance(r, 10), random_chance(r, 25)};
	for (size_t i = 0; i < POLICIES; i++)
		plane->policies[i] = random_policy(r);
	for (uint32_t i = 0; i < 2; i++) {
		plane->policies[i].interface = i;
		plane->policies[i].direction = GPC_INGRESS;
	}
	for (size_t i = 0; i < INTERFACES; i++)
		for (int d = 0; d < 2; d++)
			plane->stateful[i][d] = random_chance(r, 50);
	if (random_chance(r, 30)) {
		plane->protect_from = random_set(r);
		plane->protect_to = random_set(r);
	}
	for (size_t b = 0; b < 2; b++)
		for (size_t e = 0; e < 2; e++)
			plane->endpoints[b][e].ready = random_chance(r, 60);
	/* Backend 0: one of each family; backend 1: v6, and both. */
	plane->endpoints[0][0].address[GPC_V4] = 1;
	plane->endpoints[0][1].address[GPC_V6] = 2;
	plane->endpoints[1][0].address[GPC_V6] = (uint32_t)random_between(r, 3, 4);
	plane->endpoints[1][1].address[GPC_V4] = (uint32_t)random_between(r, 2, 5);
	plane->endpoints[1][1].address[GPC_V6] = (uint32_t)random_between(r, 5, 6);
	for (size_t i = 0; i < INVARIANTS; i++)
		plane->invariants[i] = random_invariant(r, plane->interfaces);
}

/* ---- as YAML ---- */

static void put_selector(FILE *out, const char *key, int set)
{
	if (set == LISTENERS)
		fprintf(out, ", %s: {listeners: \"*\"}", key);
	else if (set != ANY)
		fprintf(out, ", %s: s%d", key, set);
}

static void put_ports(FILE *out, size_t ports)
{
	if (ports)
		fprintf(out, ", ports: %s", ports_texts[ports]);
}

static void put_segments(FILE *out, const struct plane *plane)
{
	fputs("segments:\n", out);
	for (size_t i = 0; i < SEGMENTS; i++) {
		const struct segment *s = &plane->segments[i];
		char text[32];

		fprintf(out, "  - {name: s%zu, cidrs: [", i);
		for (size_t k = 0; k < s->count; k++) {
			int family = s->prefix[k].family;
			uint32_t size = s->prefix[k].size;
			unsigned int whole = family == GPC_V4 ? 32 : 128;

			fprintf(out, "%s\"%s/%u\"", k ? ", " : "",
				address_text(family, size ? s->prefix[k].first : 0, text),
				size ? whole - (unsigned int)__builtin_ctz(size) : 0);
		}
		fputs("]}\n", out);
	}
}

static void put_balancing(FILE *out, const struct plane *plane)
{
	fputs("backends:\n", out);
	for (size_t b = 0; b < 2; b++) {
		fprintf(out, "  - name: b%zu\n    table-size: 11\n%s    endpoints:\n", b,
			b && plane->failover ? "    failover: b0\n" : "");
		for (size_t e = 0; e < 2; e++) {
			const struct endpoint *endpoint = &plane->endpoints[b][e];
			const char *comma = "";
			char text[32];

			fprintf(out, "      - {name: e%zu, state: %s, address: [", e,
				endpoint->ready ? "ready" : "drain");
			for (int family = GPC_V4; family <= GPC_V6; family++)
				if (endpoint->address[family]) {
					fprintf(out, "%s\"%s\"", comma,
						address_text(family, endpoint->address[family], text));
					comma = ", ";
				}
			fputs("]}\n", out);
		}
	}
	fputs("listeners:\n"
	      "  - {name: l0, address: 10.0.0.7, protocol: TCP, port: 443, backend: b0}\n"
	      "  - {name: l1, address: \"2001:db8::7\", protocol: UDP, port: 53, backend: b1}\n",
	      out);
}

static void put_policies(FILE *out, const struct plane *plane)
{
	static const char *const actions[] = {"pass", "allow", "deny", "reject"};

	fputs("rules:\n", out);
	for (size_t i = 0; i < RULES; i++) {
		fprintf(out, "  - {name: r%zu, action: %s", i, actions[plane->rules[i].action]);
		put_selector(out, "from", plane->rules[i].from);
		put_selector(out, "to", plane->rules[i].to);
		put_ports(out, plane->rules[i].ports);
		if (plane->rules[i].limited)
			fprintf(out, ", rate: {limit: 5/s, exceed: %s}",
				plane->rules[i].action == GPC_ACTION_ALLOW ? "deny" : "allow");
		fputs(plane->rules[i].syn ? ", match: {tcp-flags: syn}}\n" : "}\n", out);
	}
	fputs("policies:\n", out);
	for (size_t i = 0; i < POLICIES; i++) {
		const struct policy *p = &plane->policies[i];

		if (!p->count)
			continue;
		fprintf(out,
			"  - {name: p%zu, interfaces: [i%u], direction: %s, stateful: %s, default: %s, "
			"mode: %s, priority: %zu, rules: [",
			i, p->interface, p->direction == GPC_INGRESS ? "ingress" : "egress",
			plane->stateful[p->interface][p->direction] ? "true" : "false",
			actions[p->fallback], p->audit ? "audit" : "enforce", i);
		for (size_t k = 0; k < p->count; k++)
			fprintf(out, "%sr%zu", k ? ", " : "", p->rules[k]);
		fputs("]}\n", out);
	}
	if (plane->protect_from == LISTENERS)
		return;
	fputs("protect:\n  - {name: m, ports: [tcp/22]", out);
	put_selector(out, "from", plane->protect_from);
	put_selector(out, "to", plane->protect_to);
	fputs("}\n", out);
}

/* ", KEY: VALUE" for each key that is written. */
static void put_packets(FILE *out, const struct invariant *v)
{
	put_selector(out, "from", v->from);
	put_selector(out, "to", v->to);
	put_ports(out, v->ports);
	if (v->interface != ANY)
		fprintf(out, ", %s: i%d", v->direction == GPC_INGRESS ? "in" : "out", v->interface);
}

static void put_invariants(FILE *out, const struct plane *plane)
{
	static const char *const forms[] = {"", "never", "always", "only"};

	fputs("invariants:\n", out);
	for (size_t i = 0; i < INVARIANTS; i++) {
		const struct invariant *v = &plane->invariants[i];
		char *text = NULL;
		size_t size;
		FILE *keys = open_memstream(&text, &size);

		put_packets(keys, v);
		fclose(keys);
		fprintf(out, "  - {name: v%zu%s, %s: {%s}}\n", i, v->enforced ? ", when: enforced" : "",
			forms[v->form], text + 2);
		free(text);
	}
}

static char *yaml_of(const struct plane *plane)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: t}\ndefaults: {on-fail: pass}\n"
	      "interfaces:\n",
	      out);
	for (uint32_t i = 0; i < plane->interfaces; i++)
		fprintf(out, "  - {name: i%u, hooks: [xdp, tc-egress]}\n", i);
	put_segments(out, plane);
	put_balancing(out, plane);
	put_policies(out, plane);
	put_invariants(out, plane);
	fclose(out);
	return text;
}

/* ---- what gpc says, held against that ---- */

struct tally {
	unsigned long planes, proofs, passed, deferred, violated, wrong, later, nothing;
	unsigned long mutations, broken, harmless;	/* of passing invariants */
};

static bool is_witness(const struct gpc_question *q, size_t number)
{
	struct packet p = packet_at(number);
	struct gpc_ip source, destination;
	char from[32], to[32];

	address_text(p.family, p.source, from);
	address_text(p.family, p.destination, to);
	if (gpc_ip_parse(from, strlen(from), &source) || gpc_ip_parse(to, strlen(to), &destination))
		return false;
	return q->family == p.family && !memcmp(q->source, source.bytes, 16) &&
	       !memcmp(q->destination, destination.bytes, 16) && q->protocol == p.protocol &&
	       q->destination_port == p.port;
}

/* Is there a packet that could break it, if policies were others? What breaks one breaks it denied or passing. */
static bool is_about_any(const struct plane *plane, const struct verdicts *v, const struct invariant *invariant)
{
	enum gpc_direction d = invariant->direction;

	for (size_t n = 0; n < PACKETS; n++) {
		struct packet p = packet_at(n);

		for (uint32_t i = 0; i < plane->interfaces; i++)
			if ((invariant->interface == ANY || (int)i == invariant->interface) && v->judged[i][d][n] &&
			    (breaks(plane, invariant, &p, d, DENIED) || breaks(plane, invariant, &p, d, PASSES)))
				return true;
	}
	return false;
}

/* Is the proof what brute force says? *ret_holds: as it is. */
static bool is_right(const struct plane *plane, const struct verdicts *v, size_t i,
		     const struct gpc_proof *proof, bool *ret_holds)
{
	const struct invariant *invariant = &plane->invariants[i];
	size_t first = first_break(plane, v, invariant, false);
	bool enforced;

	*ret_holds = first == PACKETS;
	if (*ret_holds && invariant->enforced)
		first = first_break(plane, v, invariant, true);
	if (*ret_holds && first != PACKETS)
		return proof->standing == GPC_STANDING_VIOLATED && proof->later && proof->found &&
		       is_witness(&proof->example.packet, first);
	if (*ret_holds)
		return proof->standing == GPC_STANDING_PASSED && !proof->later &&
		       proof->nothing <= !is_about_any(plane, v, invariant);
	if (proof->later || proof->nothing)
		return false;
	enforced = first_break(plane, v, invariant, true) == PACKETS;
	return proof->standing == (enforced && invariant->enforced ? GPC_STANDING_DEFERRED
								   : GPC_STANDING_VIOLATED) &&
	       proof->found && proof->enforced == enforced &&
	       is_witness(&proof->example.packet, first);
}

static bool compile(const char *yaml, struct gpc_arena *arena, struct gpc_diags *diags,
		    struct gpc_image *ret)
{
	const char *path = "gpc.yaml";
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compiled compiled;

	gpc_memfiles_init(&files, arena);
	gpc_memfiles_add(&files, path, yaml, strlen(yaml));
	provider = gpc_memfiles_provider(&files);
	gpc_diags_init(diags, arena, false);
	return gpc_compile(diags, &provider, &options, &compiled) &&
	       gpc_image_open_written(diags, "t.gpi", compiled.bytes, compiled.size, ret);
}

static void compare(const struct plane *plane, const char *yaml, const struct gpc_image *image,
		    struct gpc_arena *arena, struct tally *t, bool holds[INVARIANTS])
{
	struct gpc_proofs proofs = gpc_prove(arena, image, NULL);
	static struct verdicts v;

	judge_all(plane, &v);
	CU_ASSERT_EQUAL_FATAL(proofs.count, INVARIANTS);
	for (size_t i = 0; i < INVARIANTS; i++) {
		t->proofs++;
		t->passed += proofs.items[i].standing == GPC_STANDING_PASSED;
		t->deferred += proofs.items[i].standing == GPC_STANDING_DEFERRED;
		t->violated += proofs.items[i].standing == GPC_STANDING_VIOLATED;
		t->later += proofs.items[i].later;
		t->nothing += proofs.items[i].nothing;
		if (is_right(plane, &v, i, &proofs.items[i], &holds[i]))
			continue;
		if (!t->wrong++)
			fprintf(stderr, "%swrong: v%zu: %s; brute force: packet %zu of %zu\n", yaml, i,
				gpc_proof_text(arena, image, (uint32_t)i, &proofs.items[i]),
				first_break(plane, &v, &plane->invariants[i], false), PACKETS);
	}
}

static void ask(const struct plane *plane, struct tally *t, bool holds[INVARIANTS])
{
	char *yaml = yaml_of(plane);
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	struct gpc_image image;

	t->planes++;
	if (compile(yaml, &arena, &diags, &image)) {
		compare(plane, yaml, &image, &arena, t, holds);
	} else {
		fprintf(stderr, "%s%s\n", yaml, diags.records.items[0].message);
		CU_FAIL("a random plane was refused");
	}
	gpc_arena_release(&arena);
	free(yaml);
}

/* ---- mutations ---- */

static bool leave_out(struct plane *plane, struct policy *policy, size_t at)
{
	(void)plane;
	memmove(&policy->rules[at], &policy->rules[at + 1],
		(policy->count - at - 1) * sizeof(policy->rules[0]));
	policy->count--;
	return policy->count;	/* a policy that is gone would be another mutation */
}

static bool exchange(struct plane *plane, struct policy *policy, size_t at)
{
	size_t rule = policy->rules[at];

	(void)plane;
	if (at + 1 == policy->count)
		return false;
	policy->rules[at] = policy->rules[at + 1];
	policy->rules[at + 1] = rule;
	return true;
}

static bool widen(struct plane *plane, struct policy *policy, size_t at)
{
	struct rule *rule = &plane->rules[policy->rules[at]];
	bool wide = rule->from == ANY && !rule->ports;

	if (rule->ports)
		rule->ports = 0;
	else
		rule->from = ANY;
	return !wide;
}

static bool turn(struct plane *plane, struct policy *policy, size_t at)
{
	enum gpc_action *action = &plane->rules[policy->rules[at]].action;

	*action = *action == GPC_ACTION_ALLOW ? GPC_ACTION_DENY : GPC_ACTION_ALLOW;
	return true;
}

static bool limit(struct plane *plane, struct policy *policy, size_t at)
{
	plane->rules[policy->rules[at]].limited ^= true;
	return true;
}

static void mutate(const struct plane *plane, const bool held[INVARIANTS], struct tally *t)
{
	static bool (*const ways[])(struct plane *plane, struct policy *policy, size_t at) = {
		leave_out, exchange, widen, turn, limit};

	for (size_t p = 0; p < POLICIES; p++)
		for (size_t at = 0; at < plane->policies[p].count; at++)
			for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
				struct plane changed = *plane;
				bool holds[INVARIANTS] = {0};

				if (!ways[way](&changed, &changed.policies[p], at))
					continue;
				t->mutations++;
				ask(&changed, t, holds);
				for (size_t i = 0; i < INVARIANTS; i++) {
					t->broken += held[i] && !holds[i];
					t->harmless += held[i] && holds[i];
				}
			}
}

static void proofs_agree_with_brute_force(void)
{
	const char *checking_long = getenv("GPC_CHECK_LONG");
	unsigned int planes = checking_long && *checking_long ? PLANES * LONG_FACTOR : PLANES;
	struct random_source r = {5};
	struct plane *plane = malloc(sizeof(*plane));
	struct tally t = {0};

	if (!plane)
		abort();
	for (unsigned int i = 0; i < planes; i++) {
		bool holds[INVARIANTS] = {0};

		random_plane(&r, plane);
		ask(plane, &t, holds);
		if (i % 4 == 0)
			mutate(plane, holds, &t);
	}
	free(plane);
	printf("invariants: %lu planes of %zu packets a place, %lu proofs: %lu passed, %lu deferred, "
	       "%lu violated (%lu once enforced), %lu about nothing, %lu wrong; %lu mutations broke %lu and left %lu that had held\n",
	       t.planes, PACKETS, t.proofs, t.passed, t.deferred, t.violated, t.later, t.nothing, t.wrong, t.mutations,
	       t.broken, t.harmless);
	CU_ASSERT_EQUAL(t.wrong, 0);
	CU_ASSERT(t.passed > 50 && t.violated > 100 && t.deferred && t.later && t.nothing && t.mutations > 50 && t.broken &&
		  t.harmless);
}

GPC_UNIT_MAIN("oracle/invariants",
	      {"proofs_agree_with_brute_force", proofs_agree_with_brute_force})
