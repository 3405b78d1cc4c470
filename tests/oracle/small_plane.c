/* SPDX-License-Identifier: MIT */
#include "small_plane.h"

#include <netinet/in.h>
#include <string.h>

#include "random.h"

struct gpc_question small_packets[SMALL_PACKETS_MAX];
uint32_t small_packet_count;

static struct random_source source_of_numbers;

void small_seed(uint64_t seed)
{
	source_of_numbers.state = seed;
}

uint32_t small_random(uint32_t bound)
{
	return (uint32_t)random_below(&source_of_numbers, bound);
}

static bool one_in(uint32_t n)
{
	return !small_random(n);
}

/* ---- prefixes ---- */

static const struct {
	const char *text;
	uint32_t family, first, count;	/* of the family's addresses; 9: all */
} prefixes[SMALL_PREFIXES] = {
	{"10.0.0.0/29", 0, 0, 8},	 {"10.0.0.0/30", 0, 0, 4},	  {"10.0.0.4/30", 0, 4, 4},
	{"10.0.0.2/31", 0, 2, 2},	 {"10.0.0.5/32", 0, 5, 1},	  {"10.0.0.0/32", 0, 0, 1},
	{"10.0.0.6/31", 0, 6, 2},	 {"0.0.0.0/0", 0, 0, 9},	  {"2001:db8::/125", 1, 0, 8},
	{"2001:db8::4/126", 1, 4, 4},	 {"2001:db8::/126", 1, 0, 4},	  {"2001:db8::2/127", 1, 2, 2},
	{"2001:db8::5/128", 1, 5, 1},	 {"2001:db8::7/128", 1, 7, 1},	  {"::/0", 1, 0, 9},
	{"2001:db8::6/127", 1, 6, 2},
};

uint32_t small_prefix(uint32_t prefix)
{
	return ((1u << prefixes[prefix].count) - 1) << prefixes[prefix].first
	       << prefixes[prefix].family * SMALL_FAMILY;
}

const char *small_prefix_text(uint32_t prefix)
{
	return prefixes[prefix].text;
}

void small_address(uint32_t address, __u64 out[2])
{
	static const uint8_t v4[16] = {[10] = 0xff, 0xff, 10, 0, 0, 0};
	static const uint8_t v4_outside[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8};
	static const uint8_t v6_outside[16] = {0x20, 0x01, 0x0d, 0xb9, [15] = 1};
	uint32_t number = address % SMALL_FAMILY;
	bool outside = number == SMALL_BLOCK;
	uint8_t bytes[16];

	memcpy(bytes, address < SMALL_FAMILY ? (outside ? v4_outside : v4) : (outside ? v6_outside : v6), 16);
	if (!outside)
		bytes[15] = (uint8_t)number;
	memcpy(out, bytes, 16);
}

static uint32_t set_mask(const struct small_set *set)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < set->count; i++)
		mask |= small_prefix(set->prefixes[i]);
	if (set->except)
		mask &= ~small_prefix(set->except - 1u);
	return mask;
}

/* ---- services ---- */

static const struct {
	const char *text;
	uint32_t protocol, first, last;	/* protocol 256: any; first > last: no port is named */
} items[] = {
	{"tcp", IPPROTO_TCP, 1, 0},
	{"tcp/80", IPPROTO_TCP, 80, 80},
	{"tcp/79-81", IPPROTO_TCP, 79, 81},
	{"tcp/22", IPPROTO_TCP, 22, 22},
	{"tcp/0-65535", IPPROTO_TCP, 0, 65535},
	{"udp/53", IPPROTO_UDP, 53, 53},
	{"udp", IPPROTO_UDP, 1, 0},
	{"udp/80-65535", IPPROTO_UDP, 80, 65535},
	{"icmp", IPPROTO_ICMP, 1, 0},
	{"icmp/8", IPPROTO_ICMP, 8 << 8, 8 << 8 | 255},
	{"icmp/3/1", IPPROTO_ICMP, 3 << 8 | 1, 3 << 8 | 1},
	{"icmp6/echo-request", IPPROTO_ICMPV6, 128 << 8, 128 << 8 | 255},
	{"proto/47", 47, 1, 0},
	{"sctp/80", IPPROTO_SCTP, 80, 80},
	{"any", 256, 1, 0},
};
#define ITEMS (sizeof(items) / sizeof(items[0]))

static bool item_holds(uint32_t item, const struct gpc_question *p, uint32_t port)
{
	if (items[item].protocol != 256 && items[item].protocol != p->protocol)
		return false;
	return items[item].first > items[item].last || (port >= items[item].first && port <= items[item].last);
}

/* Those that `protect` can turn around: with ports of TCP and UDP only. */
static const uint8_t protect_items[] = {0, 1, 3, 6, 5, 14};

static const uint8_t flag_values[] = {GPC_ASK_SYN, GPC_ASK_ACK, GPC_ASK_SYN | GPC_ASK_ACK, 0, GPC_ASK_FIN | GPC_ASK_ACK};
static const char *const flag_texts[] = {"syn", "[ack]", "[syn, ack]", "[syn]"};
static const char *const vlan_texts[] = {"7", "none"};
static const char *const dscp_texts[] = {"46", "0"};
static const char *const fragment_texts[] = {"none", "first", "later", "any"};

static bool flags_hold(uint32_t match, const struct gpc_question *p)
{
	if (!match)
		return true;
	if (p->protocol != IPPROTO_TCP || p->fragment == GPC_FRAGMENT_LATER)
		return false;
	switch (match) {
	case 1:
		return (p->tcp_flags & (GPC_ASK_SYN | GPC_ASK_ACK)) == GPC_ASK_SYN;
	case 2:
		return p->tcp_flags == GPC_ASK_ACK;
	case 3:
		return p->tcp_flags == (GPC_ASK_SYN | GPC_ASK_ACK);
	default:
		return p->tcp_flags == GPC_ASK_SYN;
	}
}

static bool match_holds(const struct small_rule *r, const struct gpc_question *p)
{
	if (r->vlan && p->vlan != (r->vlan == 1 ? 7 : GPC_VLAN_NONE))
		return false;
	if (r->dscp && p->dscp != (r->dscp == 1 ? 46 : 0))
		return false;
	if (r->fragments && r->fragments < 4 && p->fragment != r->fragments - 1)
		return false;
	return flags_hold(r->flags, p);
}

static bool carries(const struct small_rule *r, const struct gpc_question *p)
{
	bool held = !r->item_count;

	for (uint32_t i = 0; i < r->item_count; i++)
		held |= item_holds(r->items[i], p, p->destination_port);
	return held && match_holds(r, p);
}

/* ---- interfaces ---- */

static const char *const names[] = {"if0", "if1", "if*", "i*", "if0*", "x*"};
#define NAMES (sizeof(names) / sizeof(names[0]))
const char *const small_devices[SMALL_DEVICES] = {"if0", "if1", "if2", "if01", "if09", "ia", "i", "x1"};

uint32_t small_name_of(const char *device, const char *const *of, uint32_t count)
{
	uint32_t best = count;

	for (uint32_t i = 0; i < count; i++) {
		size_t length = strlen(of[i]);

		if (!strcmp(of[i], device))
			return i;
		if (of[i][length - 1] == '*' && !strncmp(of[i], device, length - 1) &&
		    (best == count || length > strlen(of[best])))
			best = i;
	}
	return best;
}

uint32_t small_interface(const struct small_plane *plane, const char *device)
{
	const char *own[SMALL_INTERFACES];
	uint32_t found;

	for (uint32_t i = 0; i < plane->interfaces; i++)
		own[i] = names[plane->names[i]];
	found = small_name_of(device, own, plane->interfaces);
	return found == plane->interfaces ? SMALL_INTERFACES : found;
}

static void random_names(struct small_plane *plane)
{
	plane->names[0] = (uint8_t)small_random(NAMES);
	plane->names[1] = (uint8_t)((plane->names[0] + 1 + small_random(NAMES - 1)) % NAMES);
}

/* ---- packets ---- */

static bool has_ports(uint32_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static void add_packet(struct gpc_question packet, bool matched)
{
	for (uint32_t vlan = 0; vlan < (matched ? 2 : 1); vlan++)
		for (uint32_t dscp = 0; dscp < (matched ? 2 : 1); dscp++) {
			packet.vlan = vlan ? 7 : GPC_VLAN_NONE;
			packet.dscp = dscp ? 46 : 0;
			small_packets[small_packet_count++] = packet;
		}
}

static void add_ports(struct gpc_question packet, bool matched)
{
	static const uint32_t sources[] = {22, 53, 80, 40000}, destinations[] = {22, 53, 79, 80, 81, 82};

	for (uint32_t s = 0; s < 4; s++)
		for (uint32_t d = 0; d < 6; d++) {
			packet.source_port = sources[s];
			packet.destination_port = destinations[d];
			add_packet(packet, matched);
		}
}

static void add_types(struct gpc_question packet, bool matched)
{
	static const uint32_t types[] = {8 << 8, 3 << 8 | 1, 3 << 8, 128 << 8, 13 << 8};

	packet.source_port = GPC_PORT_NONE;
	for (uint32_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		packet.destination_port = types[i];
		add_packet(packet, matched);
	}
}

void small_universe(bool matched)
{
	static const uint8_t protocols[] = {0, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, 47, IPPROTO_ICMPV6, IPPROTO_SCTP};

	small_packet_count = 0;
	for (uint32_t i = 0; i < sizeof(protocols); i++)
		for (uint8_t fragment = 0; fragment < 3; fragment++) {
			uint32_t flags = protocols[i] != IPPROTO_TCP || fragment == GPC_FRAGMENT_LATER ? 1 : matched ? 5 : 3;
			struct gpc_question packet = {.protocol = protocols[i], .fragment = fragment};

			if (fragment == GPC_FRAGMENT_FIRST && !matched && protocols[i] != IPPROTO_TCP)
				continue;
			for (uint32_t f = 0; f < flags; f++) {
				packet.tcp_flags = flags > 1 ? flag_values[f] : 0;
				packet.source_port = packet.destination_port = GPC_PORT_NONE;
				if (fragment == GPC_FRAGMENT_LATER)
					add_packet(packet, matched);
				else if (has_ports(protocols[i]))
					add_ports(packet, matched && protocols[i] != IPPROTO_SCTP);
				else if (protocols[i] == IPPROTO_ICMP || protocols[i] == IPPROTO_ICMPV6)
					add_types(packet, matched);
				else
					add_packet(packet, matched);
			}
		}
}

bool small_opens(uint32_t packet)
{
	const struct gpc_question *p = &small_packets[packet];

	if (p->fragment == GPC_FRAGMENT_LATER)
		return false;
	if (p->protocol == IPPROTO_TCP)
		return p->tcp_flags == GPC_ASK_SYN;
	if (p->protocol == IPPROTO_ICMP)
		return p->destination_port >> 8 == 8;
	return p->protocol != IPPROTO_ICMPV6 || p->destination_port >> 8 == 128;
}

bool small_is_asked(uint32_t packet)
{
	const struct gpc_question *p = &small_packets[packet];

	return p->protocol != IPPROTO_TCP || p->fragment == GPC_FRAGMENT_LATER || p->tcp_flags == GPC_ASK_SYN;
}

/* ---- random planes ---- */

static struct small_set random_set(bool empty)
{
	struct small_set set = {.count = (uint8_t)(small_random(2) + !empty)};

	for (uint32_t i = 0; i < set.count; i++)
		set.prefixes[i] = (uint8_t)small_random(SMALL_PREFIXES);
	return set;
}

/* Beyond it something else is done, but that a limited allow may only be counted. */
static void random_rate(struct small_rule *r)
{
	r->rate = (uint8_t)(1 + small_random(2));
	r->exceed = (enum gpc_action)(GPC_ACTION_ALLOW + small_random(3));
	if (r->action != GPC_ACTION_ALLOW && r->exceed == r->action)
		r->exceed = GPC_ACTION_ALLOW;
}

static struct small_rule random_rule(bool matched)
{
	struct small_rule r = {.action = (enum gpc_action)(GPC_ACTION_ALLOW + small_random(3))};

	if (one_in(5))
		r.action = one_in(2) ? GPC_ACTION_LOG : GPC_ACTION_MARK;
	r.from = random_set(true);
	r.to = random_set(true);
	if (one_in(3))
		r.from_segment = (uint8_t)(1 + small_random(SMALL_SEGMENTS));
	if (one_in(3))
		r.to_segment = (uint8_t)(1 + small_random(SMALL_SEGMENTS));
	r.to_listeners = one_in(8);
	r.item_count = (uint8_t)small_random(3);
	for (uint32_t i = 0; i < r.item_count; i++)
		r.items[i] = (uint8_t)small_random(ITEMS);
	if (matched && one_in(3)) {
		r.flags = (uint8_t)(small_random(2) ? 0 : small_random(5));
		r.vlan = (uint8_t)(small_random(2) ? 0 : small_random(3));
		r.dscp = (uint8_t)(small_random(2) ? 0 : small_random(3));
		r.fragments = (uint8_t)(small_random(2) ? 0 : small_random(5));
	}
	if (r.action == GPC_ACTION_MARK)
		r.mark = (uint8_t)(1 + small_random(2));
	if (r.action == GPC_ACTION_ALLOW && one_in(6))
		r.mark = (uint8_t)(1 + small_random(2));
	if (r.action < GPC_ACTION_LOG && one_in(5))
		random_rate(&r);
	r.log = r.action != GPC_ACTION_LOG && r.action != GPC_ACTION_MARK && one_in(6);
	return r;
}

static void random_rules(const struct small_plane *plane, struct small_policy *policy)
{
	uint32_t left = (1u << plane->rule_count) - 1;
	uint32_t count = small_random(plane->rule_count + 1u);

	policy->rule_count = 0;
	while (policy->rule_count < count) {
		uint32_t rule = small_random(plane->rule_count);

		if (!(left >> rule & 1))
			continue;
		left &= ~(1u << rule);
		policy->rules[policy->rule_count++] = (uint8_t)rule;
	}
}

static struct small_policy random_policy(const struct small_plane *plane)
{
	static const enum gpc_action fallbacks[] = {GPC_ACTION_DENY, GPC_ACTION_DENY, GPC_ACTION_ALLOW, GPC_ACTION_PASS,
						    GPC_ACTION_PASS, GPC_ACTION_REJECT};
	struct small_policy p = {.interfaces = (uint8_t)(1 + small_random((1u << plane->interfaces) - 1)),
				 .direction = one_in(3) ? GPC_EGRESS : GPC_INGRESS,
				 .fallback = fallbacks[small_random(6)],
				 .audit = one_in(5)};

	random_rules(plane, &p);
	return p;
}

static struct small_listener random_listener(const struct small_plane *plane)
{
	static const uint16_t ports[][2] = {{80, 80}, {79, 81}, {0, 65535}, {53, 53}};
	static const uint8_t addresses[] = {4, 2, 5, 12, 9, 6};
	uint32_t range = small_random(4);

	return (struct small_listener){
		.prefix = addresses[small_random(6)],
		.protocol = one_in(2) ? IPPROTO_TCP : IPPROTO_UDP,
		.first = ports[range][0],
		.last = ports[range][1],
		.interfaces = (uint8_t)(1 + small_random((1u << plane->interfaces) - 1)),
	};
}

static bool same_listener_key(const struct small_listener *a, const struct small_listener *b)
{
	return a->prefix == b->prefix && a->protocol == b->protocol && a->first == b->first && a->last == b->last;
}

static void add_listener(struct small_plane *plane)
{
	struct small_listener listener = random_listener(plane);

	for (uint32_t i = 0; i < plane->listener_count; i++)
		if (same_listener_key(&plane->listeners[i], &listener))
			return;
	plane->listeners[plane->listener_count++] = listener;
}

static struct small_protect random_protect(const struct small_plane *plane)
{
	return (struct small_protect){
		.from = random_set(false),
		.to = random_set(true),
		.item = (uint8_t)(1 + protect_items[small_random(sizeof(protect_items))]),
		.interfaces = (uint8_t)(1 + small_random((1u << plane->interfaces) - 1)),
		.direction = one_in(3) ? GPC_EGRESS : GPC_INGRESS,
	};
}

void small_plane_random(bool matched, struct small_plane *plane)
{
	*plane = (struct small_plane){.interfaces = (uint8_t)(1 + small_random(SMALL_INTERFACES)),
				      .stateful = one_in(2),
				      .mid_stream = one_in(4)};
	plane->mid_stream &= plane->stateful;
	random_names(plane);
	for (uint32_t i = 0; i < SMALL_SEGMENTS; i++) {
		plane->segments[i] = random_set(false);
		if (one_in(2))
			plane->segments[i].except = (uint8_t)(1 + small_random(SMALL_PREFIXES));
	}
	plane->rule_count = (uint8_t)(2 + small_random(SMALL_RULES - 2));
	for (uint32_t i = 0; i < plane->rule_count; i++)
		plane->rules[i] = random_rule(matched);
	plane->policy_count = (uint8_t)(1 + small_random(SMALL_POLICIES));
	for (uint32_t i = 0; i < plane->policy_count; i++)
		plane->policies[i] = random_policy(plane);
	for (uint32_t n = small_random(SMALL_LISTENERS + 1); n; n--)
		add_listener(plane);
	if (one_in(3))
		plane->protects[plane->protect_count++] = random_protect(plane);
}

static void edit_policy(struct small_plane *plane)
{
	struct small_policy *p = &plane->policies[small_random(plane->policy_count)];
	uint8_t *a, *b, swap;

	switch (small_random(6)) {
	case 0:
		p->audit = !p->audit;
		break;
	case 1:
		p->fallback = random_policy(plane).fallback;
		break;
	case 2:
		random_rules(plane, p);
		break;
	case 3:
		*p = random_policy(plane);
		break;
	default:
		if (!p->rule_count)
			break;
		a = &p->rules[small_random(p->rule_count)];
		b = &p->rules[small_random(p->rule_count)];
		swap = *a;
		*a = *b;
		*b = swap;
	}
}

void small_plane_edit(bool matched, struct small_plane *plane)
{
	struct small_rule *rule = &plane->rules[small_random(plane->rule_count)];

	switch (small_random(12)) {
	case 0:
	case 1:
		*rule = random_rule(matched);
		break;
	case 8:
		if (rule->action < GPC_ACTION_LOG)
			random_rate(rule);
		break;
	case 9:
		random_names(plane);
		break;
	case 2:
		if (rule->action < GPC_ACTION_LOG && !rule->mark && !rule->rate)
			rule->action = (enum gpc_action)(GPC_ACTION_ALLOW + small_random(3));
		break;
	case 3:
		rule->from = random_set(true);
		break;
	case 4:
		rule->item_count = 1;
		rule->items[0] = (uint8_t)small_random(ITEMS);
		break;
	case 5:
		plane->segments[small_random(SMALL_SEGMENTS)] = random_set(false);
		break;
	case 6:
		if (plane->listener_count == SMALL_LISTENERS)
			plane->listener_count--;
		else
			add_listener(plane);
		break;
	case 7:
		if (plane->protect_count)
			plane->protect_count--;
		else
			plane->protects[plane->protect_count++] = random_protect(plane);
		break;
	default:
		edit_policy(plane);
	}
}

/* ---- as text ---- */

static void write_prefix(FILE *out, uint32_t prefix, const char *before)
{
	fprintf(out, "%s\"%s\"", before, prefixes[prefix].text);
}

static void write_set(FILE *out, const char *key, const struct small_set *set)
{
	if (!set->count)
		return;
	fprintf(out, ", %s: [", key);
	for (uint32_t i = 0; i < set->count; i++)
		write_prefix(out, set->prefixes[i], i ? ", " : "");
	fputs("]", out);
}

static void write_interfaces(const struct small_plane *plane, FILE *out, uint8_t interfaces)
{
	fputs("[", out);
	for (uint32_t i = 0; i < SMALL_INTERFACES; i++)
		if (interfaces >> i & 1)
			fprintf(out, "%s\"%s\"", interfaces & ((1u << i) - 1) ? ", " : "", names[plane->names[i]]);
	fputs("]", out);
}

static void write_match(FILE *out, const struct small_rule *r)
{
	const char *comma = "";

	if (!r->flags && !r->vlan && !r->dscp && !r->fragments)
		return;
	fputs(", match: {", out);
	if (r->flags)
		fprintf(out, "tcp-flags: %s", flag_texts[r->flags - 1]), comma = ", ";
	if (r->vlan)
		fprintf(out, "%svlan: %s", comma, vlan_texts[r->vlan - 1]), comma = ", ";
	if (r->dscp)
		fprintf(out, "%sdscp: %s", comma, dscp_texts[r->dscp - 1]), comma = ", ";
	if (r->fragments)
		fprintf(out, "%sfragments: %s", comma, fragment_texts[r->fragments - 1]);
	fputs("}", out);
}

static void write_rule(const struct small_plane *plane, uint32_t number, FILE *out)
{
	static const char *const actions[] = {
		[GPC_ACTION_ALLOW] = "allow", [GPC_ACTION_DENY] = "deny", [GPC_ACTION_REJECT] = "reject",
		[GPC_ACTION_LOG] = "log",     [GPC_ACTION_MARK] = "mark",
	};
	const struct small_rule *r = &plane->rules[number];

	fprintf(out, "  - {name: r%u, action: %s", number, actions[r->action]);
	if (r->from_segment)
		fprintf(out, ", from: s%u", r->from_segment - 1);
	else
		write_set(out, "from", &r->from);
	if (r->to_listeners && plane->listener_count)
		fputs(", to: {listeners: \"*\"}", out);
	else if (r->to_segment)
		fprintf(out, ", to: s%u", r->to_segment - 1);
	else
		write_set(out, "to", &r->to);
	for (uint32_t i = 0; i < r->item_count; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : ", ports: [", items[r->items[i]].text);
	fputs(r->item_count ? "]" : "", out);
	write_match(out, r);
	if (r->mark)
		fprintf(out, ", mark: %u", r->mark);
	if (r->rate)
		fprintf(out, ", rate: {limit: %u00/s, exceed: %s}", r->rate, actions[r->exceed]);
	fputs(r->log ? ", log: all}\n" : "}\n", out);
}

static void write_policy(const struct small_plane *plane, uint32_t number, FILE *out)
{
	static const char *const fallbacks[] = {"pass", "allow", "deny", "reject"};
	const struct small_policy *p = &plane->policies[number];

	fprintf(out, "  - {name: p%u, priority: %u, interfaces: ", number, 10 + number);
	write_interfaces(plane, out, p->interfaces);
	fprintf(out, ", direction: %s, default: %s, mode: %s, stateful: %s%s, rules: [",
		p->direction == GPC_EGRESS ? "egress" : "ingress", fallbacks[p->fallback], p->audit ? "audit" : "enforce",
		plane->stateful ? "true" : "false", plane->mid_stream ? ", mid-stream: allow" : "");
	for (uint32_t i = 0; i < p->rule_count; i++)
		fprintf(out, "%sr%u", i ? ", " : "", p->rules[i]);
	fputs("]}\n", out);
}

static void write_listener(const struct small_plane *plane, const struct small_listener *l, uint32_t number,
			   FILE *out)
{
	fprintf(out, "  - {name: l%u, address: \"%s\", protocol: %s, forward: pass, port: ", number,
		prefixes[l->prefix].text, l->protocol == IPPROTO_TCP ? "TCP" : "UDP");
	if (!l->first)
		fputs("any", out);
	else
		fprintf(out, "%u-%u", l->first, l->last);
	fputs(", interfaces: ", out);
	write_interfaces(plane, out, l->interfaces);
	fputs("}\n", out);
}

static void write_protect(const struct small_plane *plane, const struct small_protect *p, uint32_t number, FILE *out)
{
	fprintf(out, "  - {name: g%u, direction: %s", number, p->direction == GPC_EGRESS ? "egress" : "ingress");
	write_set(out, "from", &p->from);
	write_set(out, "to", &p->to);
	fprintf(out, ", ports: [\"%s\"], interfaces: ", items[p->item - 1].text);
	write_interfaces(plane, out, p->interfaces);
	fputs("}\n", out);
}

void small_plane_write(const struct small_plane *plane, FILE *out)
{
	fputs("apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: small}\ndefaults: {on-fail: pass}\ninterfaces:\n", out);
	for (uint32_t i = 0; i < plane->interfaces; i++)
		fprintf(out, "  - {name: \"%s\", mode: any, hooks: [xdp, tc-ingress, tc-egress]}\n",
			names[plane->names[i]]);
	fputs("segments:\n", out);
	for (uint32_t i = 0; i < SMALL_SEGMENTS; i++) {
		fprintf(out, "  - {name: s%u", i);
		write_set(out, "cidrs", &plane->segments[i]);
		if (plane->segments[i].except)
			write_prefix(out, plane->segments[i].except - 1u, ", except: [");
		fputs(plane->segments[i].except ? "]}\n" : "}\n", out);
	}
	if (plane->listener_count)
		fputs("listeners:\n", out);
	for (uint32_t i = 0; i < plane->listener_count; i++)
		write_listener(plane, &plane->listeners[i], i, out);
	fputs("rules:\n", out);
	for (uint32_t i = 0; i < plane->rule_count; i++)
		write_rule(plane, i, out);
	fputs("policies:\n", out);
	for (uint32_t i = 0; i < plane->policy_count; i++)
		write_policy(plane, i, out);
	if (plane->protect_count)
		fputs("protect:\n", out);
	for (uint32_t i = 0; i < plane->protect_count; i++)
		write_protect(plane, &plane->protects[i], i, out);
}

/* ---- meaning ---- */

static uint32_t rule_from(const struct small_plane *plane, const struct small_rule *r)
{
	if (r->from_segment)
		return set_mask(&plane->segments[r->from_segment - 1]);
	return r->from.count ? set_mask(&r->from) : UINT32_MAX;
}

static uint32_t rule_to(const struct small_plane *plane, const struct small_rule *r)
{
	uint32_t mask = 0;

	if (r->to_listeners && plane->listener_count) {
		for (uint32_t i = 0; i < plane->listener_count; i++)
			mask |= small_prefix(plane->listeners[i].prefix);
		return mask;
	}
	if (r->to_segment)
		return set_mask(&plane->segments[r->to_segment - 1]);
	return r->to.count ? set_mask(&r->to) : UINT32_MAX;
}

void small_tables_make(const struct small_plane *plane, struct small_tables *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->plane = plane;
	for (uint32_t i = 0; i < plane->rule_count; i++) {
		const struct small_rule *r = &plane->rules[i];
		uint32_t from = rule_from(plane, r), to = rule_to(plane, r);

		for (uint32_t a = 0; a < SMALL_ADDRESSES; a++) {
			ret->from[a] |= (from >> a & 1) << i;
			ret->to[a] |= (to >> a & 1) << i;
		}
		for (uint32_t k = 0; k < small_packet_count; k++)
			ret->carries[k] |= (uint32_t)carries(r, &small_packets[k]) << i;
	}
}

/* `to: {listeners}` without ports: protocol and ports of each, which a later fragment shows only half. */
static bool goes_to_listener(const struct small_plane *plane, uint32_t destination, const struct gpc_question *p)
{
	for (uint32_t i = 0; i < plane->listener_count; i++) {
		const struct small_listener *l = &plane->listeners[i];

		if (small_prefix(l->prefix) >> destination & 1 && l->protocol == p->protocol &&
		    (p->fragment == GPC_FRAGMENT_LATER ||
		     (p->destination_port >= l->first && p->destination_port <= l->last)))
			return true;
	}
	return false;
}

static bool rule_holds(const struct small_tables *t, uint32_t rule, uint32_t source, uint32_t destination,
		       uint32_t packet)
{
	const struct small_rule *r = &t->plane->rules[rule];

	if (!(t->from[source] & t->to[destination] & t->carries[packet] & 1u << rule))
		return false;
	return !r->to_listeners || !t->plane->listener_count || r->item_count ||
	       goes_to_listener(t->plane, destination, &small_packets[packet]);
}

/* The most specific: longest prefix, then fewest ports. 1 + number, 0: none. */
static uint8_t listener_of(const struct small_plane *plane, uint32_t interface, enum gpc_direction direction,
			   uint32_t destination, const struct gpc_question *p)
{
	uint32_t best_count = UINT32_MAX, best_ports = UINT32_MAX;
	uint8_t best = 0;

	if (direction != GPC_INGRESS || p->fragment != GPC_FRAGMENT_NONE)
		return 0;
	for (uint32_t i = 0; i < plane->listener_count; i++) {
		const struct small_listener *l = &plane->listeners[i];
		uint32_t count = prefixes[l->prefix].count, ports = l->last - l->first + 1u;

		if (!(l->interfaces >> interface & 1) || l->protocol != p->protocol ||
		    !(small_prefix(l->prefix) >> destination & 1) || p->destination_port < l->first ||
		    p->destination_port > l->last)
			continue;
		if (count < best_count || (count == best_count && ports < best_ports)) {
			best = (uint8_t)(i + 1);
			best_count = count;
			best_ports = ports;
		}
	}
	return best;
}

static bool set_holds(const struct small_set *set, uint32_t address)
{
	return !set->count || set_mask(set) >> address & 1;
}

static bool protect_holds(const struct small_protect *p, uint32_t interface, enum gpc_direction direction,
			  uint32_t source, uint32_t destination, const struct gpc_question *packet)
{
	if (!(p->interfaces >> interface & 1))
		return false;
	if (direction == p->direction)
		return set_holds(&p->from, source) && set_holds(&p->to, destination) &&
		       item_holds(p->item - 1u, packet, packet->destination_port);
	return set_holds(&p->from, destination) && set_holds(&p->to, source) &&
	       item_holds(p->item - 1u, packet, packet->source_port);
}

/* What a policy says: the deciding rule, what log and mark rules before it did. */
static uint8_t ask_policy(const struct small_tables *t, const struct small_policy *p, uint32_t source,
			  uint32_t destination, uint32_t packet, bool mid_stream, bool *logged, uint8_t *mark)
{
	uint8_t decider = SMALL_DEFAULT;
	uint32_t end = p->rule_count;

	for (uint32_t i = 0; i < p->rule_count && end == p->rule_count; i++)
		if (t->plane->rules[p->rules[i]].action < GPC_ACTION_LOG &&
		    rule_holds(t, p->rules[i], source, destination, packet)) {
			if (mid_stream && t->plane->rules[p->rules[i]].action == GPC_ACTION_ALLOW)
				break;
			decider = p->rules[i];
			end = i;
		}
	for (uint32_t i = 0; i < end; i++) {
		const struct small_rule *r = &t->plane->rules[p->rules[i]];

		if (r->action < GPC_ACTION_LOG || !rule_holds(t, p->rules[i], source, destination, packet))
			continue;
		if (r->action == GPC_ACTION_LOG)
			*logged = true;
		else if (!*mark)
			*mark = r->mark;
	}
	return decider;
}

static bool is_mid_stream(const struct small_plane *plane, const struct gpc_question *p, uint8_t listener)
{
	return plane->stateful && !plane->mid_stream && p->protocol == IPPROTO_TCP &&
	       p->fragment != GPC_FRAGMENT_LATER && p->tcp_flags != GPC_ASK_SYN && !listener;
}

bool small_passes(const struct small_verdict *v)
{
	return v->at_times || v->action == GPC_ACTION_PASS || v->action == GPC_ACTION_ALLOW;
}

static void ask_policies(const struct small_tables *t, bool enforce_audit, uint32_t interface,
			 enum gpc_direction direction, uint32_t source, uint32_t destination, uint32_t packet,
			 bool mid_stream, struct small_verdict *v)
{
	const struct small_plane *plane = t->plane;

	for (uint32_t i = 0; i < plane->policy_count; i++) {
		const struct small_policy *p = &plane->policies[i];
		bool audit = p->audit && !enforce_audit;
		enum gpc_action action;
		uint8_t rule, mark = 0;

		if (p->direction != direction || !(p->interfaces >> interface & 1))
			continue;
		rule = ask_policy(t, p, source, destination, packet, mid_stream && !audit, &v->logged, &mark);
		if (!v->mark && !audit)
			v->mark = mark;
		action = rule == SMALL_DEFAULT ? p->fallback : plane->rules[rule].action;
		if (rule != SMALL_DEFAULT && plane->rules[rule].log)
			v->logged = true;
		if (audit || action == GPC_ACTION_PASS)
			continue;
		v->action = action;
		v->policy = (uint8_t)i;
		v->rule = rule;
		if (rule != SMALL_DEFAULT) {
			v->rate = plane->rules[rule].rate ? (uint8_t)(plane->rules[rule].rate << 4 | plane->rules[rule].exceed) : 0;
			v->at_times = plane->rules[rule].rate && action != GPC_ACTION_ALLOW &&
				      plane->rules[rule].exceed == GPC_ACTION_ALLOW && !mid_stream;
			if (action == GPC_ACTION_ALLOW && plane->rules[rule].mark)
				v->mark = plane->rules[rule].mark;
		}
		return;
	}
}

struct small_verdict small_judge(const struct small_tables *t, bool enforce_audit, uint32_t interface,
				 enum gpc_direction direction, uint32_t source, uint32_t destination,
				 uint32_t packet)
{
	const struct small_plane *plane = t->plane;
	const struct gpc_question *p = &small_packets[packet];
	struct small_verdict v = {.action = GPC_ACTION_PASS, .policy = SMALL_NOBODY, .rule = SMALL_DEFAULT};
	bool protected = false;

	if (interface >= plane->interfaces)
		return v;
	v.listener = listener_of(plane, interface, direction, destination, p);
	for (uint32_t i = 0; i < plane->protect_count && !protected; i++)
		if (protect_holds(&plane->protects[i], interface, direction, source, destination, p)) {
			protected = true;
			v.action = GPC_ACTION_ALLOW;
			v.policy = SMALL_PROTECT;
			v.rule = (uint8_t)i;
		}
	if (!protected)
		ask_policies(t, enforce_audit, interface, direction, source, destination, packet,
			     is_mid_stream(plane, p, v.listener), &v);
	if (!small_passes(&v))
		v.listener = v.mark = 0;
	return v;
}

bool small_differ(const struct small_verdict *a, const struct small_verdict *b)
{
	if (small_passes(a) != small_passes(b) || a->at_times != b->at_times ||
	    ((a->at_times || !small_passes(a)) && a->action != b->action))
		return true;
	return a->logged != b->logged || a->mark != b->mark || a->rate != b->rate || a->listener != b->listener;
}
