/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>

#include "gpc/image.h"

static const char *name_in(const char *const *names, size_t count, unsigned int value)
{
	return value < count ? names[value] : "?";
}
#define NAME_IN(names, value) name_in((names), sizeof(names) / sizeof((names)[0]), (value))

const char *gpc_action_name(unsigned int action)
{
	static const char *const names[] = {
		[GPC_ACTION_PASS] = "pass",	[GPC_ACTION_ALLOW] = "allow",
		[GPC_ACTION_DENY] = "deny",	[GPC_ACTION_REJECT] = "reject",
		[GPC_ACTION_LOG] = "log",	[GPC_ACTION_MARK] = "mark",
	};

	return NAME_IN(names, action);
}

const char *gpc_direction_name(unsigned int direction)
{
	static const char *const names[] = {[GPC_INGRESS] = "ingress", [GPC_EGRESS] = "egress"};

	return NAME_IN(names, direction);
}

const char *gpc_builtin_action_name(unsigned int action)
{
	static const char *const names[] = {
		[GPC_BUILTIN_ALLOW] = "allow",
		[GPC_BUILTIN_DENY] = "deny",
		[GPC_BUILTIN_RULES] = "rules",
	};

	return NAME_IN(names, action);
}

const char *gpc_forward_name(unsigned int forward)
{
	static const char *const names[] = {
		"?",
		[GPC_FORWARD_IPIP] = "ipip",
		[GPC_FORWARD_DSR] = "dsr",
		[GPC_FORWARD_GUE] = "gue",
		[GPC_FORWARD_NAT] = "nat",
		[GPC_FORWARD_PASS] = "pass",
	};

	return NAME_IN(names, forward);
}

const char *gpc_hash_name(unsigned int hash)
{
	static const char *const names[] = {
		[GPC_HASH_5_TUPLE] = "5-tuple",
		[GPC_HASH_SOURCE_IP] = "source-ip",
		[GPC_HASH_SOURCE_IP_PORT] = "source-ip-port",
		[GPC_HASH_DESTINATION_PORT] = "destination-port",
	};

	return NAME_IN(names, hash);
}

const char *gpc_affinity_name(unsigned int affinity)
{
	static const char *const names[] = {
		[GPC_AFFINITY_NONE] = "none",
		[GPC_AFFINITY_SOURCE_IP] = "source-ip",
		[GPC_AFFINITY_QUIC_CID] = "quic-cid",
	};

	return NAME_IN(names, affinity);
}

const char *gpc_ping_name(unsigned int ping)
{
	static const char *const names[] = {
		[GPC_PING_REPLY] = "reply",
		[GPC_PING_PASS] = "pass",
		[GPC_PING_DROP] = "drop",
	};

	return NAME_IN(names, ping);
}

const char *gpc_fragments_name(unsigned int fragments)
{
	static const char *const names[] = {
		[GPC_FRAGMENTS_L3_HASH] = "first-l3-hash",
		[GPC_FRAGMENTS_DROP] = "drop",
		[GPC_FRAGMENTS_PASS] = "pass",
	};

	return NAME_IN(names, fragments);
}

const char *gpc_invariant_form_name(unsigned int form)
{
	static const char *const names[] = {
		"?",
		[GPC_INVARIANT_NEVER] = "never",
		[GPC_INVARIANT_ALWAYS] = "always",
		[GPC_INVARIANT_ONLY] = "only",
		[GPC_INVARIANT_REMAP] = "remap",
		[GPC_INVARIANT_LIMITS] = "limits",
	};

	return NAME_IN(names, form);
}

const char *gpc_timeout_name(unsigned int timeout)
{
	static const char *const names[GPC_TIMEOUT_COUNT] = {
		[GPC_TIMEOUT_SYN] = "syn",	   [GPC_TIMEOUT_ESTABLISHED] = "established",
		[GPC_TIMEOUT_CLOSING] = "closing", [GPC_TIMEOUT_CLOSED] = "closed",
		[GPC_TIMEOUT_UDP_NEW] = "udp-new", [GPC_TIMEOUT_UDP] = "udp",
		[GPC_TIMEOUT_ICMP] = "icmp",	   [GPC_TIMEOUT_OTHER] = "other",
	};

	return NAME_IN(names, timeout);
}

const char *gpc_transport_name(unsigned int protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_SCTP:
		return "SCTP";
	default:
		return "?";
	}
}

char *gpc_ports_format(uint16_t first, uint16_t last, char *out)
{
	if (!first)
		snprintf(out, GPC_PORTS_TEXT, "any");
	else if (first == last)
		snprintf(out, GPC_PORTS_TEXT, "%u", first);
	else
		snprintf(out, GPC_PORTS_TEXT, "%u-%u", first, last);
	return out;
}
