/* SPDX-License-Identifier: MIT */
/* What the lock-out guard says of one session: by policies, by who opened it, by what is known of it. */
#include "../../../../loader/plane/guard.h"

#include "gpc/lookup/chain.h"
#include "rig.h"

#define RULES                                                                                      \
	"rules:\n"                                                                                 \
	"  - {name: ssh, ports: [tcp/22], action: allow}\n"                                        \
	"  - {name: no-ssh, ports: [tcp/22], action: deny}\n"                                      \
	"  - {name: reject-ssh, ports: [tcp/22], action: reject}\n"                                \
	"  - {name: slow-ssh, ports: [tcp/22], action: allow, rate: {limit: 1/s}}\n"               \
	"  - {name: opening, ports: [tcp/22], match: {tcp-flags: syn}, action: allow}\n"           \
	"  - {name: peer, to: [10.77.0.100/32, \"fd77::100/128\"], action: allow}\n"               \
	"  - {name: web, ports: [tcp/80], action: allow}\n"
#define PLANE(defaults, policies)                                                                  \
	RIG_HEAD "defaults: {flows: 4096" defaults "}\n"                                           \
		 "interfaces: [{name: lan0, hooks: [xdp, tc-egress]},\n"                           \
		 "  {name: wan0, hooks: [xdp, tc-ingress, tc-egress]}]\n" RULES                    \
		 "policies: [" policies "]\n"
#define NEVER ", pickup: never"
#define IN(rules, more)                                                                            \
	"{name: in, interfaces: [wan0], direction: ingress, rules: [" rules "]" more "}"
#define OUT(rules, more)                                                                           \
	"{name: out, interfaces: [wan0], direction: egress, rules: [" rules "]" more "}"
#define FIRST(rules, more)                                                                         \
	"{name: first, interfaces: [wan0], direction: ingress, priority: 1, rules: [" rules "]" more "}"
#define STATELESS ", stateful: false"
#define PROTECT(from, to) "protect: [{name: mgmt, from: " from ", to: " to ", ports: [tcp/22]}]\n"

enum opener { THEY, WE }; /* the remote side, this host */
enum memory { FRESH, OLD };

struct row {
	const char *name, *plane;
	enum opener opener;
	enum memory memory;
	const char *cut; /* "in/ssh": the rule that cuts it; NULL: none does */
	bool mid_stream;
};

/* `they` opened: to port 22 of this host; `we`: to port 22 of theirs. */
static struct gpc_tcp_session session_of(enum opener opener, bool v6)
{
	const char *local = v6 ? "fd77::1" : "10.77.0.1";
	const char *remote = v6 ? "fd77::100" : "10.77.0.100";
	struct gpc_tcp_session session = {
		.local_port = opener == THEY ? 22 : 50000,
		.remote_port = opener == THEY ? 50000 : 22,
		.inbound = opener == THEY,
	};

	CU_ASSERT_EQUAL_FATAL(gpc_ip_parse(local, strlen(local), &session.local), GPC_IP_OK);
	CU_ASSERT_EQUAL_FATAL(gpc_ip_parse(remote, strlen(remote), &session.remote), GPC_IP_OK);
	return session;
}

/* "policy/rule" of who cuts, "-" if nobody does. */
static const char *said(const struct gpc_image *image, const struct gpc_guard_verdict *verdict)
{
	static char text[128];
	const struct gpc_rule *rule;

	if (!verdict->cut)
		return "-";
	rule = gpc_rule_at(image->view, verdict->rule);
	snprintf(text, sizeof(text), "%s/%s",
		 gpc_image_name(image, gpc_policy_at(image->view, rule->policy)->name),
		 rule->flags & GPC_RULE_DEFAULT ? "default" : gpc_image_name(image, rule->name));
	return text;
}

static void judge(const struct row *row, const struct gpc_image *image, bool v6)
{
	struct gpc_tcp_session session = session_of(row->opener, v6);
	uint32_t wan = gpc_image_interface(image, "wan0"), lan = gpc_image_interface(image, "lan0");
	bool fresh = row->memory == FRESH;
	struct gpc_guard_verdict verdict = gpc_guard_judge(image, wan, &session, fresh);
	struct gpc_guard_verdict elsewhere = gpc_guard_judge(image, lan, &session, fresh);
	const char *want = row->cut ? row->cut : "-";
	bool egress = row->cut && !strncmp(row->cut, "out/", 4);
	bool ok = !strcmp(said(image, &verdict), want);

	if (verdict.cut)
		ok &= verdict.mid_stream == row->mid_stream &&
		      verdict.direction == (egress ? GPC_EGRESS : GPC_INGRESS);
	if (!ok)
		printf("%s%s: %s, direction %d%s\n", row->name, v6 ? ", v6" : "",
		       said(image, &verdict), verdict.direction,
		       verdict.mid_stream ? ", in mid-stream" : "");
	CU_ASSERT(ok);
	CU_ASSERT_FALSE(elsewhere.cut);
}

static void judge_all(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct gpc_image image = rig_image(rows[i].plane);

		judge(&rows[i], &image, false);
		judge(&rows[i], &image, true);
		gpc_image_release(&image);
	}
}
#define JUDGE(rows) judge_all(rows, sizeof(rows) / sizeof((rows)[0]))

static void inbound_sessions(void)
{
	static const struct row rows[] = {
		{"allowed", PLANE("", IN("ssh", "")), THEY, FRESH, NULL, false},
		{"by default", PLANE("", IN("web", "")), THEY, FRESH, "in/default", false},
		{"by a rule", PLANE("", IN("no-ssh, ssh", "")), THEY, OLD, "in/no-ssh", false},
		{"rejected", PLANE("", IN("reject-ssh", "")), THEY, OLD, "in/reject-ssh", false},
		{"limited", PLANE("", IN("slow-ssh", "")), THEY, OLD, NULL, false},
		{"default allow", PLANE("", IN("web", ", default: allow")), THEY, FRESH, NULL, false},
		{"it opened", PLANE("", IN("opening", "")), THEY, FRESH, NULL, false},
		{"kept, but not let in again", PLANE("", IN("web", ", existing: keep")), THEY, OLD,
		 "in/default", false},
		{"answers are replies", PLANE("", IN("ssh", "") ", " OUT("", "")), THEY, FRESH, NULL,
		 false},
		{"only answers are judged", PLANE("", OUT("", "")), THEY, FRESH, "out/default", true},
		{"answers without state", PLANE("", IN("ssh", "") ", " OUT("", STATELESS)), THEY, OLD,
		 "out/default", false},
	};

	JUDGE(rows);
}

static void outbound_sessions(void)
{
	static const struct row rows[] = {
		{"it leaves without a chain", PLANE("", IN("", "")), WE, FRESH, NULL, false},
		{"allowed", PLANE("", OUT("ssh", "") ", " IN("", "")), WE, FRESH, NULL, false},
		{"by default", PLANE("", OUT("web", "")), WE, FRESH, "out/default", false},
		{"by a rule", PLANE("", OUT("no-ssh", "") ", " IN("", "")), WE, OLD, "out/no-ssh",
		 false},
		{"its answers, without state", PLANE("", IN("", STATELESS)), WE, OLD, "in/default",
		 false},
	};

	JUDGE(rows);
}

static void sessions_without_state(void)
{
	static const struct row rows[] = {
		{"both ways", PLANE("", IN("ssh", STATELESS) ", " OUT("peer", STATELESS)), THEY, FRESH,
		 NULL, false},
		{"denied", PLANE("", IN("web", STATELESS)), THEY, FRESH, "in/default", false},
		{"no more than its opening", PLANE("", IN("opening", STATELESS)), THEY, OLD,
		 "in/default", false},
		{"no entry for the way out", PLANE("", IN("ssh", STATELESS) ", " OUT("web", "")), THEY,
		 OLD, "out/default", true},
	};

	JUDGE(rows);
}

static void sessions_of_unknown_flows(void)
{
	static const struct row rows[] = {
		{"not picked up", PLANE(NEVER, IN("ssh", "")), THEY, FRESH, "in/default", true},
		{"known already", PLANE(NEVER, IN("ssh", "")), THEY, OLD, NULL, false},
		{"a rule denies", PLANE(NEVER, IN("no-ssh", "")), THEY, FRESH, "in/no-ssh", true},
		{"default allow", PLANE(NEVER, IN("ssh", ", default: allow")), THEY, FRESH, NULL, false},
		{"let in", PLANE(NEVER, IN("ssh", ", mid-stream: allow")), THEY, FRESH, NULL, false},
		{"let in, but denied", PLANE(NEVER, IN("web", ", mid-stream: allow")), THEY, FRESH,
		 "in/default", false},
		{"answers to what was opened", PLANE(NEVER, IN("", "")), WE, FRESH, "in/default", true},
		{"known already, outwards", PLANE(NEVER, IN("", "")), WE, OLD, NULL, false},
		{"outwards, not picked up", PLANE(NEVER, OUT("ssh", "")), WE, FRESH, "out/default", true},
	};

	JUDGE(rows);
}

static void chains_of_several(void)
{
	static const struct row rows[] = {
		{"audit decides nothing", PLANE("", IN("no-ssh", ", mode: audit")), THEY, FRESH, NULL,
		 false},
		{"nor lets in", PLANE("", FIRST("ssh", ", mode: audit") ", " IN("web", "")), THEY, FRESH,
		 "in/default", false},
		{"nor in mid-stream", PLANE(NEVER, IN("no-ssh", ", mode: audit")), THEY, FRESH, NULL,
		 false},
		{"the first decides", PLANE("", FIRST("ssh", "") ", " IN("no-ssh", "")), THEY, FRESH,
		 NULL, false},
		{"or passes on", PLANE("", FIRST("web", ", default: pass") ", " IN("no-ssh", "")), THEY,
		 FRESH, "in/no-ssh", false},
		{"and nobody decides", PLANE("", FIRST("web", ", default: pass")), THEY, FRESH, NULL,
		 false},
	};

	JUDGE(rows);
}

#define HERE "[10.77.0.1/32, \"fd77::1/128\"]"
#define THERE "[10.77.0.100/32, \"fd77::100/128\"]"

static void protected_sessions(void)
{
	static const struct row rows[] = {
		{"protected", PLANE("", IN("no-ssh", "")) PROTECT(THERE, HERE), THEY, FRESH, NULL, false},
		{"both ways", PLANE("", IN("no-ssh", STATELESS) ", " OUT("", STATELESS))
				      PROTECT(THERE, HERE),
		 THEY, OLD, NULL, false},
		{"in mid-stream", PLANE(NEVER, IN("ssh", "")) PROTECT(THERE, HERE), THEY, FRESH, NULL,
		 false},
		{"somebody else", PLANE("", IN("no-ssh", "")) PROTECT("192.0.2.1/32", "192.0.2.2/32"),
		 THEY, FRESH, "in/no-ssh", false},
		{"outwards is not inwards", PLANE("", IN("", STATELESS)) PROTECT(THERE, HERE), WE, OLD,
		 "in/default", false},
	};

	JUDGE(rows);
}

GPC_UNIT_MAIN("loader/plane/guard", {"inbound sessions", inbound_sessions},
	      {"outbound sessions", outbound_sessions},
	      {"sessions without state", sessions_without_state},
	      {"sessions of unknown flows", sessions_of_unknown_flows},
	      {"chains of several", chains_of_several}, {"protected sessions", protected_sessions})
