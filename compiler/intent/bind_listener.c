/* SPDX-License-Identifier: MIT */
/* What the keys of one listener must fulfil together (SEMANTICS 2.2, 6.2, 6.3). */
#include <netinet/in.h>
#include <string.h>

#include "gpc/image.h"
#include "whole.h"

static enum gpc_forward forward_of(const struct gpc_listener_intent *listener)
{
	return listener->forward.set ? (enum gpc_forward)listener->forward.value : GPC_FORWARD_IPIP;
}

static bool is_pass(const struct gpc_listener_intent *listener)
{
	return forward_of(listener) == GPC_FORWARD_PASS;
}

static bool is_gue(const struct gpc_listener_intent *listener)
{
	return forward_of(listener) == GPC_FORWARD_GUE;
}

static bool has_outer_header(const struct gpc_listener_intent *listener)
{
	return is_gue(listener) || forward_of(listener) == GPC_FORWARD_IPIP;
}

static bool keeps_source(const struct gpc_listener_intent *listener)
{
	return listener->snat.value && forward_of(listener) != GPC_FORWARD_NAT;
}

/* Does it see both directions of TCP? */
static bool sees_handshakes(const struct gpc_listener_intent *listener)
{
	return listener->protocol.value == IPPROTO_TCP &&
	       (forward_of(listener) == GPC_FORWARD_NAT || is_pass(listener));
}

static bool clamps_in_vain(const struct gpc_listener_intent *listener)
{
	return listener->mss_clamp.value && !sees_handshakes(listener);
}

static bool bakes_in_vain(const struct gpc_listener_intent *listener)
{
	return listener->syn_cookies.value && !sees_handshakes(listener);
}

static bool forgets_nobody(const struct gpc_listener_intent *listener)
{
	return listener->affinity.value != GPC_AFFINITY_SOURCE_IP;
}

static bool is_stable_in_vain(const struct gpc_listener_intent *listener)
{
	return listener->stable.value &&
	       (listener->protocol.value != IPPROTO_UDP || is_pass(listener));
}

static bool has_no_outer_header(const struct gpc_listener_intent *listener)
{
	return !has_outer_header(listener);
}

static bool is_not_gue(const struct gpc_listener_intent *listener)
{
	return !is_gue(listener);
}

static bool sends_elsewhere(const struct gpc_listener_intent *listener)
{
	return is_pass(listener) && listener->affinity.value;
}

static bool hashes_another_way(const struct gpc_listener_intent *listener)
{
	return listener->affinity.value == GPC_AFFINITY_SOURCE_IP &&
	       listener->hash.value != GPC_HASH_SOURCE_IP;
}

static bool is_quic_without_udp(const struct gpc_listener_intent *listener)
{
	return listener->affinity.value == GPC_AFFINITY_QUIC_CID &&
	       listener->protocol.value != IPPROTO_UDP;
}

static bool forwards_sctp(const struct gpc_listener_intent *listener)
{
	return listener->protocol.value == IPPROTO_SCTP && !is_pass(listener);
}

/* A key that is written although what else is written gives it no effect, or rules it out. */
static const struct rule {
	const char *key;
	bool (*wrong)(const struct gpc_listener_intent *listener);
	enum gpc_code code;
	const char *what, *hint;
} rules[] = {
	{"protocol", forwards_sctp, GPC_E0164, "SCTP without `forward: pass`",
	 "SCTP is not balanced: write `forward: pass`, or another protocol"},
	{"backend", is_pass, GPC_E0165, "`backend` with `forward: pass`",
	 "the local stack takes the packets; remove it"},
	{"split", is_pass, GPC_E0165, "`split` with `forward: pass`",
	 "the local stack takes the packets; remove it"},
	{"hash", is_pass, GPC_E0165, "`hash` with `forward: pass`",
	 "there is no endpoint to choose; remove it"},
	{"affinity", sends_elsewhere, GPC_E0165, "`affinity` with `forward: pass`",
	 "there is no endpoint to keep; remove it"},
	{"hash", hashes_another_way, GPC_E0166, "`hash` beside `affinity: source-ip`",
	 "it implies `hash: source-ip`; remove one of the two"},
	{"affinity", is_quic_without_udp, GPC_E0167, "`affinity: quic-cid` without UDP",
	 "QUIC runs over UDP: write `protocol: UDP`"},
	{"affinity-timeout", forgets_nobody, GPC_E0168,
	 "`affinity-timeout` without `affinity: source-ip`", "only that one remembers clients"},
	{"stable", is_stable_in_vain, GPC_E0169, "`stable` without effect",
	 "only UDP flows to endpoints need it; TCP flows always stay"},
	{"snat", keeps_source, GPC_E0170, "`snat` without `forward: nat`",
	 "the other modes leave the source as it is; remove it"},
	{"gue-port", is_not_gue, GPC_E0171, "`gue-port` without `forward: gue`", "remove it"},
	{"outer-dscp", has_no_outer_header, GPC_E0172,
	 "`outer-dscp` without an outer header", "only `ipip` and `gue` put one on; remove it"},
	{"mss-clamp", clamps_in_vain, GPC_E0173, "`mss-clamp` without effect",
	 "it is for TCP with `forward: nat` or `pass`"},
	{"syn-cookies", bakes_in_vain, GPC_E0178, "`syn-cookies` without effect",
	 "it is for TCP with `forward: nat` or `pass`; in the other modes a flood of SYNs needs no entries"},
};

static void check_rules(const struct gpc_whole *whole, const struct gpc_listener_intent *listener)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct gpc_pair *pair = gpc_whole_written(whole, rules[i].key);

		if (pair && rules[i].wrong(listener))
			gpc_whole_hint(whole,
				       gpc_whole_fault(whole, rules[i].code, pair->key_place,
						       rules[i].what),
				       rules[i].hint);
	}
}

static void check_backend(const struct gpc_whole *whole, const struct gpc_listener_intent *listener)
{
	const struct gpc_pair *backend = gpc_whole_written(whole, "backend");
	const struct gpc_pair *split = gpc_whole_written(whole, "split");

	if (is_pass(listener))
		return;
	if (!backend && !split)
		gpc_whole_hint(whole,
			       gpc_whole_fault(whole, GPC_E0163, whole->node->place,
					       "neither `backend` nor `split`"),
			       "name the pool that serves it, or write `forward: pass`");
	if (backend && split)
		gpc_whole_hint(whole,
			       gpc_whole_fault(whole, GPC_E0163, split->key_place,
					       "`split` beside `backend`"),
			       "remove one of the two");
}

static void check_split(const struct gpc_whole *whole, const struct gpc_listener_intent *listener)
{
	const struct gpc_split_intent *items = listener->split.items;
	uint64_t total = 0;

	if (listener->split.n > GPC_MAX_SPLIT) {
		gpc_whole_fault(whole, GPC_E0174, items[GPC_MAX_SPLIT].at,
				"more than 64 items in `split`");
		return;
	}
	for (size_t i = 0; i < listener->split.n; i++) {
		total += items[i].weight.value;
		for (size_t k = 0; k < i; k++)
			if (items[i].backend.text && items[k].backend.text &&
			    !strcmp(items[i].backend.text, items[k].backend.text))
				gpc_diag_place(gpc_whole_fault(whole, GPC_E0175,
							       items[i].backend.at,
							       "backend twice in `split`"),
					       items[k].backend.at, "first here");
	}
	if (listener->split.n && !total)
		gpc_whole_hint(whole,
			       gpc_whole_fault(whole, GPC_E0176,
					       gpc_whole_written(whole, "split")->key_place,
					       "no weight above 0 in `split`"),
			       "give one of the backends new flows");
}

void gpc_bind_whole_listener(const struct gpc_whole *whole, const struct gpc_listener_intent *listener)
{
	if (gpc_whole_written(whole, "forward") && !listener->forward.set)
		return;
	check_backend(whole, listener);
	check_rules(whole, listener);
	check_split(whole, listener);
}
