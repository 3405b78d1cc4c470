/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <string.h>

#include "document.h"
#include "gpc/image.h"
#include "ports.h"
#include "whole.h"

const struct gpc_pair *gpc_whole_written(const struct gpc_whole *whole, const char *key)
{
	return gpc_node_find(whole->node, key);
}

struct gpc_diag *gpc_whole_fault(const struct gpc_whole *whole, enum gpc_code code,
				 struct gpc_place place, const char *what)
{
	return gpc_diag(whole->values->diags, code, place, "%s%s", what,
			gpc_frame_text(whole->values, whole->frame));
}

void gpc_whole_hint(const struct gpc_whole *whole, struct gpc_diag *diag, const char *text)
{
	gpc_diag_hint(whole->values->diags, diag, "%s", text);
}

static void check_one_of(const struct gpc_whole *whole, const char *a, const char *b, const char *what)
{
	if (!gpc_whole_written(whole, a) == !gpc_whole_written(whole, b))
		gpc_whole_fault(whole, GPC_E0128, whole->node->place, what);
}

static void check_rule(const struct gpc_whole *whole, struct gpc_rule_intent *rule)
{
	const struct gpc_pair *ports = gpc_whole_written(whole, "ports"), *mark = gpc_whole_written(whole, "mark");

	rule->ports_at = ports ? ports->value->place : GPC_NOWHERE;
	if (!rule->action.set)
		return;
	if (rule->action.value == GPC_ACTION_MARK && !mark)
		gpc_whole_hint(whole,
		     gpc_whole_fault(whole, GPC_E0141, rule->action.at, "no `mark` for `action: mark`"),
		     "write `mark: N`");
	if (mark && rule->action.value != GPC_ACTION_MARK && rule->action.value != GPC_ACTION_ALLOW)
		gpc_whole_hint(whole, gpc_whole_fault(whole, GPC_E0142, mark->key_place, "`mark` without effect"),
		     "only rules with `action: mark` or `allow` set one");
}

static void check_rate(const struct gpc_whole *whole, const struct gpc_rate_intent *rate)
{
	if (rate->limit.set && rate->burst.set && rate->bytes != rate->burst_bytes)
		gpc_whole_hint(whole,
		     gpc_whole_fault(whole, GPC_E0134, rate->burst.at,
			   rate->bytes ? "`burst` in packets with a `limit` in bytes"
				       : "`burst` in bytes with a `limit` in packets"),
		     rate->bytes ? "give it a unit, such as 64KiB" : "write a number of packets");
}

static void check_protect(const struct gpc_whole *whole, struct gpc_protect_intent *protect)
{
	const struct gpc_pair *ports = gpc_whole_written(whole, "ports");

	protect->ports_at = ports ? ports->value->place : GPC_NOWHERE;
	if (!gpc_whole_written(whole, "from") && !gpc_whole_written(whole, "to") && !ports)
		gpc_whole_hint(whole,
		     gpc_whole_fault(whole, GPC_E0143, whole->node->place,
			   "`protect` item without a condition"),
		     "give `from`, `to` or `ports`: what it lets through, nothing can stop");
}

static void check_segment(const struct gpc_whole *whole, struct gpc_segment_intent *segment)
{
	const struct gpc_pair *cidrs = gpc_whole_written(whole, "cidrs");

	segment->cidrs_at = cidrs ? cidrs->value->place : GPC_NOWHERE;
	check_one_of(whole, "cidrs", "from", "not exactly one of `cidrs` and `from`");
}

/* ---- invariants ---- */

static unsigned int written_of(const struct gpc_whole *whole, const char *const *keys, size_t count)
{
	unsigned int written = 0;

	for (size_t i = 0; i < count; i++)
		written += gpc_whole_written(whole, keys[i]) != NULL;
	return written;
}

static void check_invariant(const struct gpc_whole *whole, const struct gpc_invariant_intent *invariant)
{
	static const char *const forms[] = {"never", "always", "only", "remap"};
	static const char *const limits[] = {"memory", "max-lookups"};
	const struct gpc_pair *when = gpc_whole_written(whole, "when");
	unsigned int form = written_of(whole, forms, 4), limit = written_of(whole, limits, 2);

	if (form + (limit != 0) != 1)
		gpc_whole_hint(whole,
			       gpc_whole_fault(whole, GPC_E0460, whole->node->place,
					       "not exactly one statement"),
			       "write one of never, always, only, remap, or memory and max-lookups");
	else if (when && !invariant->never && !invariant->always && !invariant->only)
		gpc_whole_hint(whole,
			       gpc_whole_fault(whole, GPC_E0463, when->key_place,
					       "`when` without effect"),
			       "policies in audit do not change it; remove it");
}

static void check_packets(const struct gpc_whole *whole, const char *const *keys, size_t count,
			  const char *hint)
{
	const struct gpc_pair *out = gpc_whole_written(whole, "out");

	if (!written_of(whole, keys, count))
		gpc_whole_hint(whole,
			       gpc_whole_fault(whole, GPC_E0461, whole->node->place,
					       "no packets are named"),
			       hint);
	if (out && gpc_whole_written(whole, "in"))
		gpc_whole_hint(whole,
			       gpc_whole_fault(whole, GPC_E0462, out->key_place,
					       "`out` beside `in`"),
			       "each is about one chain; write two invariants");
}

/* ---- packets of tests ---- */

static void refuse(const struct gpc_whole *whole, const char *key, const char *why)
{
	const struct gpc_pair *pair = gpc_whole_written(whole, key);

	if (pair)
		gpc_diag_hint(whole->values->diags,
			      gpc_diag(whole->values->diags, GPC_E0145, pair->key_place,
				       "`%s` without meaning%s", key,
				       gpc_frame_text(whole->values, whole->frame)),
			      "%s", why);
}

static void check_ports(const struct gpc_whole *whole, const struct gpc_send_intent *send,
			uint64_t protocol, bool later)
{
	if (!gpc_protocol_has_ports(protocol) || later) {
		refuse(whole, "dport",
		       later ? "a later fragment has no ports"
			     : "only tcp, udp and sctp have ports");
		refuse(whole, "sport",
		       later ? "a later fragment has no ports"
			     : "only tcp, udp and sctp have ports");
	} else if (!gpc_whole_written(whole, "dport")) {
		gpc_diag(whole->values->diags, GPC_E0104, send->at, "missing key `dport`%s",
			 gpc_frame_text(whole->values, whole->frame));
	}
	if (protocol != IPPROTO_TCP || later)
		refuse(whole, "tcp-flags",
		       later ? "a later fragment has no TCP header" : "only tcp has flags");
}

static void bind_icmp_type(const struct gpc_whole *whole, struct gpc_send_intent *send,
			   uint8_t protocol)
{
	const struct gpc_pair *pair = gpc_whole_written(whole, "icmp-type");
	struct gpc_slot slot = {
		.values = whole->values,
		.frame = whole->frame,
		.key = gpc_key_find(whole->info, "icmp-type"),
	};
	struct gpc_scalar scalar;

	if (pair && gpc_slot_scalar(&slot, pair->value, &scalar))
		gpc_bind_icmp_type(&slot, &scalar, protocol, &send->icmp_type);
}

static void check_send(const struct gpc_whole *whole, struct gpc_send_intent *send)
{
	uint64_t protocol = send->protocol.set ? send->protocol.value : IPPROTO_TCP;
	bool later = send->fragment.set && send->fragment.value == GPC_FRAGMENT_LATER;

	check_one_of(whole, "in", "out", "not exactly one of `in` and `out`");
	if (send->from.prefix.length && send->to.prefix.length &&
	    send->from.prefix.v4 != send->to.prefix.v4)
		gpc_diag_place(gpc_whole_fault(whole, GPC_E0144, send->to.at, "addresses of two families"),
			       send->from.at, "the source");
	if (gpc_whole_written(whole, "proto") && !send->protocol.set)
		return;
	check_ports(whole, send, protocol, later);
	if (gpc_protocol_is_icmp(protocol) && !later) {
		bind_icmp_type(whole, send, (uint8_t)protocol);
	} else {
		refuse(whole, "icmp-type", "only a packet of icmp or icmp6 has a type");
		refuse(whole, "icmp-code", "only a packet of icmp or icmp6 has a code");
	}
}

void gpc_bind_whole(struct gpc_values *values, const struct gpc_frame *frame, enum gpc_object kind,
		    const struct gpc_node *node, void *object)
{
	const struct gpc_whole whole = {values, frame, gpc_object_info(kind), node};

	switch (kind) {
	case GPC_OBJECT_segment:
		check_segment(&whole, object);
		break;
	case GPC_OBJECT_rule:
		check_rule(&whole, object);
		break;
	case GPC_OBJECT_rate:
		check_rate(&whole, object);
		break;
	case GPC_OBJECT_protect:
		check_protect(&whole, object);
		break;
	case GPC_OBJECT_listener:
		gpc_bind_whole_listener(&whole, object);
		break;
	case GPC_OBJECT_probe:
		gpc_bind_whole_probe(&whole, object);
		break;
	case GPC_OBJECT_invariant:
		check_invariant(&whole, object);
		break;
	case GPC_OBJECT_packets:
		check_packets(&whole, (const char *const[]){"from", "to", "ports"}, 3,
			      "give `from`, `to` or `ports`");
		break;
	case GPC_OBJECT_only:
		check_packets(&whole, (const char *const[]){"from", "ports"}, 2,
			      "give `from` or `ports`: what may reach `to`");
		break;
	case GPC_OBJECT_send:
		check_send(&whole, object);
		break;
	default:
		break;
	}
}
