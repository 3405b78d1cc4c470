/* SPDX-License-Identifier: MIT */
/*
 * The static analysis against counting. Small planes as text; what their sets and services can tell apart
 * is found by trying all values at which one of them begins or has just ended. A packet of each kind is
 * asked of every rule; what is left of it is the mask of the rules that hold it, and a handful of masks
 * says all: who is first, who would be first instead, who meets whom.
 */
#include "analyze/rules.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../../unit.h"
#include "base/memfiles.h"
#include "pipeline.h"

#ifdef __SANITIZE_ADDRESS__
#define PLANES 500u
#else
#define PLANES 2000u
#endif
#define MOST_RULES 8u

static uint64_t state = 88172645463325252ull;

static uint32_t random_below(uint32_t bound)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % bound;
}

/* Where in each list the plane at hand begins to choose: from few values, so that its rules meet. */
static uint32_t focus;
#define ANY_OF(list) ((list)[(focus + random_below(4)) % (sizeof(list) / sizeof((list)[0]))])

/* ---- planes ---- */

static void write_addresses(FILE *out, const char *key)
{
	static const char *const prefixes[] = {
		"0.0.0.0/0",  "0.0.0.0/1",	 "128.0.0.0/1",	     "10.0.0.0/8",
		"10.0.0.0/9", "10.128.0.0/9",	 "10.128.0.7/32",    "255.255.255.255/32",
		"\"::/0\"",   "\"2000::/3\"", "\"2001:db8::/32\"", "\"2001:db8::/33\"",
		"low",	      "high",		 "both",	     "both"};
	uint32_t count = random_below(3);

	if (!count)
		return;
	fprintf(out, ", %s: [%s", key, ANY_OF(prefixes));
	if (count == 2)
		fprintf(out, ", %s", ANY_OF(prefixes));
	fputs("]", out);
}

static void write_ports(FILE *out, bool tcp)
{
	static const char *const items[] = {"tcp/80",	   "tcp/80-90", "tcp/0-80", "tcp/81-65535",
					    "tcp/0-65535", "tcp",	"tcp",	    "udp",
					    "udp/53",	   "sctp",	"icmp",	    "icmp/8",
					    "icmp/3/4",	   "icmp6",	"proto/47", "any"};
	uint32_t count = random_below(4);

	if (!count)
		return;
	fprintf(out, ", ports: [%s", tcp ? items[random_below(7)] : ANY_OF(items));
	while (--count)
		fprintf(out, ", %s", ANY_OF(items));
	fputs("]", out);
}

static void write_match(FILE *out, bool tcp)
{
	static const char *const flags[] = {"syn", "[ack]", "[syn, ack]", "[rst]"};
	static const char *const others[] = {"vlan: 5",		 "vlan: none",	    "dscp: 0",
					     "dscp: 46",	 "fragments: none", "fragments: first",
					     "fragments: later", "fragments: any"};

	if (tcp)
		fprintf(out, ", match: {tcp-flags: %s%s%s}", flags[random_below(4)],
			random_below(2) ? ", " : ", dscp: 0, ", others[4 + random_below(4)]);
	else if (!random_below(3))
		fprintf(out, ", match: {%s}", others[random_below(8)]);
}

static void write_rule(FILE *out, uint32_t number, bool priority)
{
	static const char *const actions[] = {"allow",	"allow", "allow", "deny",
					      "reject", "log",	 "mark, mark: 3"};
	static const char *const extras[] = {"", "", "", "", "", "", "", "", ", log: all",
					     ", rate: {limit: 10/s, exceed: reject}"};
	uint32_t action = random_below(2) ? 0 : random_below(7);
	bool tcp = !random_below(5);

	fprintf(out, "  - {name: r%u, action: %s", number, actions[action]);
	write_addresses(out, "from");
	write_addresses(out, "to");
	write_ports(out, tcp);
	write_match(out, tcp);
	if (action < 5)
		fputs(extras[random_below(action ? 9 : 10)], out);
	if (!action && !random_below(8))
		fputs(", mark: 9", out);
	if (priority)
		fprintf(out, ", priority: %u", random_below(3));
	fputs("}\n", out);
}

/* malloc'ed */
static char *make_plane(void)
{
	uint32_t rules = 2 + random_below(MOST_RULES - 1);
	bool priority = !random_below(3);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	focus = random_below(16);
	fputs("apiVersion: gpc/v1\n"
	      "kind: Plane\n"
	      "metadata: {name: random}\n"
	      "interfaces: [{name: wan0, hooks: [xdp, tc-ingress, tc-egress]}]\n"
	      "segments:\n"
	      "  - {name: low, cidrs: [10.0.0.0/9, \"2001:db8::/33\"]}\n"
	      "  - {name: high, cidrs: [10.0.0.0/8, \"2001:db8::/32\"], except: [low]}\n"
	      "  - {name: both, cidrs: [10.0.0.0/8, \"2001:db8::/32\"]}\n"
	      "rules:\n",
	      out);
	for (uint32_t i = 0; i < rules; i++)
		write_rule(out, i, priority);
	fputs("policies: [{name: p, interfaces: [wan0], direction: ingress, rules: [r0", out);
	for (uint32_t i = 1; i < rules; i++)
		fprintf(out, ", r%u", i);
	fputs("]}]\n", out);
	fclose(out);
	return text;
}

/* ---- kinds of packets ---- */

/* Distinct 64-bit numbers in the order of their coming. */
struct kinds {
	GPC_VEC(uint64_t) items;
};

static bool add_kind(struct gpc_arena *arena, struct kinds *kinds, uint64_t kind)
{
	for (size_t i = 0; i < kinds->items.n; i++)
		if (kinds->items.items[i] == kind)
			return false;
	*GPC_PUSH(arena, &kinds->items) = kind;
	return true;
}

/* The next address; that of the first after the last does not matter. */
static struct gpc_ip after(struct gpc_ip ip)
{
	for (int i = 15; i >= 0 && !++ip.bytes[i]; i--)
		;
	return ip;
}

static uint64_t sets_with(const struct gpc_space *space, const struct gpc_ip *ip)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < space->set_count; i++)
		bits |= (uint64_t)gpc_set_holds(space->sets[i], ip) << i;
	return bits;
}

static void see_address(struct gpc_arena *arena, const struct gpc_space *space, struct gpc_ip ip,
			struct kinds families[2])
{
	add_kind(arena, &families[gpc_ip_is_v4(&ip) ? 0 : 1], sets_with(space, &ip));
}

/* The sets that hold an address: each combination that there is, by family. */
static void address_kinds(struct gpc_arena *arena, const struct gpc_space *space,
			  struct kinds families[2])
{
	struct gpc_ip v4 = {{[10] = 0xff, [11] = 0xff}}, v6 = {{0}};

	see_address(arena, space, v4, families);
	see_address(arena, space, v6, families);
	for (size_t s = 0; s < space->set_count; s++)
		for (size_t r = 0; r < space->sets[s].count; r++) {
			see_address(arena, space, space->sets[s].ranges[r].first, families);
			see_address(arena, space, after(space->sets[s].ranges[r].last), families);
		}
}

static uint64_t services_with(const struct gpc_space *space, const struct gpc_question *question)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < space->service_count; i++)
		bits |= (uint64_t)gpc_service_matches(&space->services[i], question) << i;
	return bits;
}

struct values {
	struct kinds protocols, ports, vlans, dscps;
};

static void values_of(struct gpc_arena *arena, const struct gpc_space *space, struct values *values)
{
	static const uint8_t protocols[] = {0, 1, 6, 17, 47, 58, 132, 255};

	for (size_t i = 0; i < sizeof(protocols); i++)
		add_kind(arena, &values->protocols, protocols[i]);
	add_kind(arena, &values->vlans, GPC_VLAN_NONE);
	add_kind(arena, &values->vlans, 77);
	for (uint64_t d = 0; d < 64; d += 23)
		add_kind(arena, &values->dscps, d); /* 0, 23, 46 */
	for (size_t s = 0; s < space->service_count; s++) {
		const struct gpc_service *service = &space->services[s];

		if (service->match.vlan != GPC_VLAN_ANY)
			add_kind(arena, &values->vlans, service->match.vlan);
		for (size_t i = 0; i < service->count; i++) {
			const struct gpc_service_item *item = &service->items[i];

			add_kind(arena, &values->protocols, item->protocol_first);
			add_kind(arena, &values->protocols, (item->protocol_last + 1) & 255);
			add_kind(arena, &values->ports, item->destination.first);
			add_kind(arena, &values->ports, item->destination.last + 1);
		}
	}
	add_kind(arena, &values->ports, 0);
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}
static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Gives the question a port, if its protocol and fragment can have one; false if it is another's turn. */
static bool set_port(struct gpc_question *question, uint64_t port)
{
	bool some = question->fragment != GPC_FRAGMENT_LATER &&
		    (has_ports(question->protocol) || is_icmp(question->protocol));

	question->source_port = GPC_PORT_NONE;
	question->destination_port = some ? (uint32_t)port : GPC_PORT_NONE;
	if (some && has_ports(question->protocol))
		question->source_port = 40000;
	return some ? port < GPC_PORT_NONE : port == 0;
}

/* All flags, VLANs and DSCPs of a question. */
static void vary_match(struct gpc_arena *arena, const struct gpc_space *space,
		       const struct values *values, struct gpc_question question,
		       struct kinds *services)
{
	bool tcp = question.protocol == IPPROTO_TCP && question.fragment != GPC_FRAGMENT_LATER;

	for (uint8_t flags = 0; flags < (tcp ? 16 : 1); flags++)
		for (size_t v = 0; v < values->vlans.items.n; v++)
			for (size_t d = 0; d < values->dscps.items.n; d++) {
				question.tcp_flags = flags;
				question.vlan = (uint16_t)values->vlans.items.items[v];
				question.dscp = (uint8_t)values->dscps.items.items[d];
				add_kind(arena, services, services_with(space, &question));
			}
}

/* The services that match a packet: each combination that there is. */
static void service_kinds(struct gpc_arena *arena, const struct gpc_space *space,
			  struct kinds *services)
{
	struct values values = {0};

	values_of(arena, space, &values);
	for (size_t p = 0; p < values.protocols.items.n; p++)
		for (uint8_t fragment = 0; fragment < 3; fragment++)
			for (size_t i = 0; i < values.ports.items.n; i++) {
				struct gpc_question question = {
					.protocol = (uint8_t)values.protocols.items.items[p],
					.fragment = fragment,
				};

				if (set_port(&question, values.ports.items.items[i]))
					vary_match(arena, space, &values, question, services);
			}
}

/* ---- masks of rules ---- */

struct plane {
	const struct gpc_model *model;
	const struct gpc_model_policy *policy;
	uint32_t count;
	struct kinds masks; /* bit p: the rule in position p holds the packet */
	bool dead[MOST_RULES];
};

static const struct gpc_model_rule *rule_at(const struct plane *plane, uint32_t position)
{
	return &plane->model->rules[plane->policy->rules[position]];
}

static uint64_t mask_of(const struct plane *plane, uint64_t source, uint64_t destination,
			uint64_t services)
{
	uint64_t mask = 0;

	for (uint32_t p = 0; p < plane->count; p++)
		for (size_t i = 0; i < rule_at(plane, p)->box_count; i++) {
			const struct gpc_box *box = &rule_at(plane, p)->boxes[i];

			if (source >> box->source & destination >> box->destination &
			    services >> box->service & 1)
				mask |= 1ull << p;
		}
	return mask;
}

static void find_masks(struct gpc_arena *arena, struct plane *plane)
{
	const struct gpc_space *space = &plane->model->space;
	struct kinds families[2] = {0}, services = {0};

	CU_ASSERT_FATAL(space->set_count <= 64 && space->service_count <= 64);
	address_kinds(arena, space, families);
	service_kinds(arena, space, &services);
	for (int f = 0; f < 2; f++)
		for (size_t s = 0; s < families[f].items.n; s++)
			for (size_t d = 0; d < families[f].items.n; d++)
				for (size_t i = 0; i < services.items.n; i++)
					add_kind(arena, &plane->masks,
						 mask_of(plane, families[f].items.items[s],
							 families[f].items.items[d],
							 services.items.items[i]));
}

/* ---- what is to be said ---- */

static bool decides(const struct gpc_model_rule *rule)
{
	return rule->action == GPC_ACTION_ALLOW || rule->action == GPC_ACTION_DENY ||
	       rule->action == GPC_ACTION_REJECT;
}

static bool is_plain(const struct gpc_model_rule *rule)
{
	return decides(rule) && !rule->log_sample && !rule->mark && !rule->rate.limited;
}

/* Is the rule the one that acts on the packets of the mask? */
static bool acts(const struct plane *plane, uint64_t mask, uint32_t position)
{
	const struct gpc_model_rule *rule = rule_at(plane, position);

	if (!(mask >> position & 1))
		return false;
	for (uint32_t p = 0; p < position; p++)
		if (mask >> p & 1 && (decides(rule_at(plane, p)) ||
				      rule_at(plane, p)->action == rule->action))
			return false;
	return true;
}

static bool never_acts(const struct plane *plane, uint32_t position)
{
	for (size_t i = 0; i < plane->masks.items.n; i++)
		if (acts(plane, plane->masks.items.items[i], position))
			return false;
	return true;
}

/* The next of the rules that decide and are not dead; plane->count: none. */
static uint32_t next_of(const struct plane *plane, uint64_t mask, uint32_t position)
{
	do
		position++;
	while (position < plane->count && (!(mask >> position & 1) || plane->dead[position] ||
					   !decides(rule_at(plane, position))));
	return position;
}

static bool is_redundant(const struct plane *plane, uint32_t position)
{
	const struct gpc_model_rule *rule = rule_at(plane, position), *next;

	if (plane->dead[position] || !is_plain(rule))
		return false;
	for (size_t i = 0; i < plane->masks.items.n; i++) {
		uint64_t mask = plane->masks.items.items[i];
		uint32_t other = next_of(plane, mask, position);

		if (!acts(plane, mask, position))
			continue;
		if (other == plane->count)
			return false;
		next = rule_at(plane, other);
		if (!is_plain(next) || next->action != rule->action)
			return false;
	}
	return true;
}

/* The first rule before it of equal priority that disagrees about a packet; `position`: none. */
static uint32_t disagrees(const struct plane *plane, uint32_t position)
{
	const struct gpc_model_rule *rule = rule_at(plane, position);

	for (uint32_t p = 0; p < position && !plane->dead[position] && decides(rule); p++) {
		const struct gpc_model_rule *before = rule_at(plane, p);

		if (plane->dead[p] || !decides(before) || !rule->has_priority ||
		    before->priority != rule->priority || before->action == rule->action)
			continue;
		for (size_t i = 0; i < plane->masks.items.n; i++)
			if (plane->masks.items.items[i] >> p &
			    plane->masks.items.items[i] >> position & 1)
				return p;
	}
	return position;
}

/* ---- what is said ---- */

static size_t said(const struct gpc_diags *diags, enum gpc_code code, const char *beginning)
{
	size_t n = 0;

	for (size_t i = 0; i < diags->records.n; i++)
		n += diags->records.items[i].code == code &&
		     !strncmp(diags->records.items[i].message, beginning, strlen(beginning));
	return n;
}

struct tally {
	uint32_t planes, refused, shadowed, redundant, disagreeing, live, wrong;
};

static bool same(const struct plane *plane, const struct gpc_diags *diags, uint32_t position,
		 struct tally *tally)
{
	const struct gpc_model_rule *rule = rule_at(plane, position);
	bool shadowed = plane->dead[position] && rule->box_count;
	bool redundant = is_redundant(plane, position);
	uint32_t other = disagrees(plane, position);
	char acting[64], changing[64], both[64];

	snprintf(acting, sizeof(acting), "rule `%s` never acts", rule->name);
	snprintf(changing, sizeof(changing), "rule `%s` changes nothing", rule->name);
	snprintf(both, sizeof(both), "rules `%s` and `%s` ", rule_at(plane, other)->name, rule->name);
	tally->shadowed += shadowed;
	tally->redundant += redundant;
	tally->disagreeing += other != position;
	tally->live += !plane->dead[position];
	return said(diags, GPC_W0360, acting) == shadowed &&
	       said(diags, GPC_W0361, changing) == redundant &&
	       said(diags, GPC_W0362, both) == (other != position);
}

/* As many as are expected one by one, and each rule judged. */
static bool no_more(const struct gpc_diags *diags, const struct tally *before,
		    const struct tally *after)
{
	return said(diags, GPC_W0360, "") == after->shadowed - before->shadowed &&
	       said(diags, GPC_W0361, "") == after->redundant - before->redundant &&
	       said(diags, GPC_W0362, "") == after->disagreeing - before->disagreeing &&
	       said(diags, GPC_W0363, "") == 0;
}

static void judge(struct gpc_arena *arena, const struct gpc_model *model,
		  const struct gpc_diags *diags, const char *text, struct tally *tally)
{
	struct plane plane = {.model = model, .policy = &model->policies[0]};
	struct tally before = *tally;
	bool ok = true;

	plane.count = (uint32_t)plane.policy->rule_count;
	find_masks(arena, &plane);
	for (uint32_t p = 0; p < plane.count; p++)
		plane.dead[p] = never_acts(&plane, p);
	for (uint32_t p = 0; p < plane.count; p++)
		ok &= same(&plane, diags, p, tally);
	if (ok && no_more(diags, &before, tally))
		return;
	if (!tally->wrong++) {
		fputs(text, stdout);
		for (size_t i = 0; i < diags->records.n; i++)
			printf("# said: %s\n", diags->records.items[i].message);
		for (uint32_t p = 0; p < plane.count; p++)
			printf("# %s: %s%s%s\n", rule_at(&plane, p)->name,
			       plane.dead[p] ? "never acts" : "acts",
			       is_redundant(&plane, p) ? ", changes nothing" : "",
			       disagrees(&plane, p) != p ? ", disagrees" : "");
	}
}

static void compile_and_judge(const char *text, struct tally *tally)
{
	const char *path = "gpc.yaml";
	struct gpc_arena arena = {0};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "test"};
	struct gpc_compiled compiled;
	struct gpc_diags diags;

	gpc_memfiles_init(&files, &arena);
	gpc_memfiles_add(&files, path, text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	gpc_diags_init(&diags, &arena, false);
	tally->planes++;
	if (gpc_compile(&diags, &provider, &options, &compiled)) {
		judge(&arena, compiled.model, &diags, text, tally);
	} else if (!tally->refused++) {
		fputs(text, stdout);
		for (size_t i = 0; i < diags.records.n; i++)
			printf("# said: %s\n", diags.records.items[i].message);
	}
	gpc_arena_release(&arena);
}

static void random_planes(void)
{
	struct tally tally = {0};

	for (uint32_t i = 0; i < PLANES; i++) {
		char *text = make_plane();

		compile_and_judge(text, &tally);
		free(text);
	}
	printf("%u planes: %u rules that act, %u that never do, %u that change nothing, %u that "
	       "disagree; %u planes judged wrongly, %u refused\n",
	       tally.planes, tally.live, tally.shadowed, tally.redundant, tally.disagreeing,
	       tally.wrong, tally.refused);
	CU_ASSERT_EQUAL(tally.wrong, 0);
	CU_ASSERT_EQUAL(tally.refused, 0);
	CU_ASSERT(tally.live > PLANES && tally.shadowed > PLANES / 4 && tally.redundant > PLANES / 16 &&
		  tally.disagreeing > PLANES / 16);
}

GPC_UNIT_MAIN("compiler/analyze/rules", {"random planes", random_planes})
