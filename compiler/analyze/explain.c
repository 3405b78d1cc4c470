/* SPDX-License-Identifier: MIT */
#include "explain.h"

#include <netinet/in.h>
#include <string.h>

#include "../base/words.h"
#include "gpc/lookup/vip.h"

bool gpc_explain_point(const struct gpc_image *image, const char *interface,
		       enum gpc_direction direction, struct gpc_explain_point *ret)
{
	struct gpc_explain_point point = {.interface = gpc_image_interface(image, interface),
					  .direction = direction};
	uint32_t count;
	const struct gpc_chain *chains = gpc_image_section(image, GPC_SEC_CHAIN, &count);

	if (point.interface == GPC_NONE)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (chains[i].interface == point.interface && chains[i].direction == direction)
			point.chain = &chains[i];
	*ret = point;
	return true;
}

static bool is_link_local(const __u64 address[2])
{
	const uint8_t *bytes = (const uint8_t *)address;

	return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

/* The built-in that a whole packet with a hop limit of 255 falls under; COUNT: none. */
static enum gpc_builtin builtin_of(const struct gpc_question *packet)
{
	uint32_t type = packet->destination_port >> 8;
	bool local = is_link_local(packet->source);

	if (packet->protocol != IPPROTO_ICMPV6 || packet->family != GPC_V6 || packet->fragment)
		return GPC_BUILTIN_COUNT;
	switch (type) {
	case 135:
	case 136:
		return GPC_BUILTIN_ND;
	case 133:
		return GPC_BUILTIN_RA;
	case 134:
		return local ? GPC_BUILTIN_RA : GPC_BUILTIN_COUNT;
	case 130:
	case 131:
	case 132:
	case 143:
		return local || !(packet->source[0] | packet->source[1]) ? GPC_BUILTIN_MLD
									 : GPC_BUILTIN_COUNT;
	default:
		return GPC_BUILTIN_COUNT;
	}
}

static bool builtin_decides(const struct gpc_image *image, const struct gpc_question *packet,
			    struct gpc_explanation *e)
{
	enum gpc_builtin builtin = builtin_of(packet);

	if (builtin == GPC_BUILTIN_COUNT || image->plane->builtin[builtin] == GPC_BUILTIN_RULES)
		return false;
	e->action = image->plane->builtin[builtin] == GPC_BUILTIN_DENY ? GPC_ACTION_DENY
								       : GPC_ACTION_ALLOW;
	e->rule = builtin;
	return true;
}

static uint32_t listener_of(const struct gpc_image *image, const struct gpc_explain_point *point,
			    const struct gpc_question *packet)
{
	if (point->direction != GPC_INGRESS || packet->fragment ||
	    packet->destination_port == GPC_PORT_NONE)
		return GPC_NONE;
	return gpc_vip_listener(image->view, packet->destination[0], packet->destination[1],
				htons((uint16_t)packet->destination_port), packet->protocol,
				1ull << point->interface);
}

/* TCP of an unknown flow that does not open it, to nobody of whom only one side is seen. */
static bool is_mid_stream(const struct gpc_explain_point *point, const struct gpc_question *packet,
			  uint32_t listener)
{
	const uint8_t seen = GPC_ASK_SYN | GPC_ASK_ACK | GPC_ASK_FIN | GPC_ASK_RST;

	return point->chain && point->chain->flags & GPC_CHAIN_STATEFUL &&
	       !(point->chain->flags & GPC_CHAIN_MID_STREAM_ALLOW) &&
	       packet->protocol == IPPROTO_TCP && packet->fragment != GPC_FRAGMENT_LATER &&
	       (packet->tcp_flags & seen) != GPC_ASK_SYN && listener == GPC_NONE;
}

static void find_would(const struct gpc_image *image, const struct gpc_explain_point *point,
		       bool audit, struct gpc_explanation *e)
{
	for (uint32_t i = 0; i < e->answer.asked; i++) {
		uint32_t policy = point->chain->policy[i];
		enum gpc_action action = gpc_rule_at(image->view, e->answer.rule[i])->action;

		if (!audit && gpc_policy_at(image->view, policy)->mode != GPC_POLICY_AUDIT)
			continue;
		if (action != GPC_ACTION_DENY && action != GPC_ACTION_REJECT)
			continue;
		e->would = action;
		e->would_rule = e->answer.rule[i];
		e->would_policy = policy;
		return;
	}
}

static void ask_chain(const struct gpc_image *image, const struct gpc_explain_point *point,
		      const struct gpc_question *packet, bool audit, struct gpc_explanation *e)
{
	uint32_t how = (audit ? GPC_HOW_AUDIT : 0) | (e->mid_stream ? GPC_HOW_MID_STREAM : 0);

	gpc_chain_ask(image->view, point->chain, packet, how, &e->answer);
	if (e->answer.protect != GPC_NONE) {
		e->action = GPC_ACTION_ALLOW;
		e->rule = e->answer.protect;
		return;
	}
	if (e->answer.decider != GPC_NONE) {
		e->rule = e->answer.rule[e->answer.decider];
		e->policy = point->chain->policy[e->answer.decider];
		e->action = gpc_rule_at(image->view, e->rule)->action;
	}
	find_would(image, point, audit, e);
}

void gpc_explain(const struct gpc_image *image, const struct gpc_explain_point *point,
		 const struct gpc_question *packet, bool audit, struct gpc_explanation *ret)
{
	*ret = (struct gpc_explanation){
		.answer = {.protect = GPC_NONE, .decider = GPC_NONE},
		.action = GPC_ACTION_PASS,
		.rule = GPC_NONE,
		.policy = GPC_NONE,
		.would_rule = GPC_NONE,
		.would_policy = GPC_NONE,
		.listener = listener_of(image, point, packet),
	};
	ret->mid_stream = is_mid_stream(point, packet, ret->listener);
	if (!builtin_decides(image, packet, ret) && point->chain)
		ask_chain(image, point, packet, audit, ret);
}

/* ---- the line ---- */

static char *put(char *at, const char *text)
{
	size_t size = strlen(text);

	memcpy(at, text, size);
	return at + size;
}

static char *put_rule(char *at, const struct gpc_image *image, uint32_t policy, uint32_t rule)
{
	const struct gpc_rule *record = gpc_rule_at(image->view, rule);

	*at++ = '\t';
	if (record->flags & GPC_RULE_PROTECT)
		at = put(at, "protect");
	else if (record->flags & GPC_RULE_BUILTIN)
		at = put(at, "builtin");
	else
		at = put(at, gpc_image_name(image, gpc_policy_at(image->view, policy)->name));
	*at++ = '\t';
	return put(at, gpc_image_name(image, record->name));
}

size_t gpc_explain_line(const struct gpc_image *image, const struct gpc_explanation *e,
			char out[GPC_EXPLAIN_LINE])
{
	char *at = put(out, gpc_action_name(e->action));

	_Static_assert(GPC_EXPLAIN_LINE > 2 * GPC_MAX_NAME_BYTES + 32, "two names and the words");
	if (e->rule != GPC_NONE) {
		at = put_rule(at, image, e->policy, e->rule);
	} else if (e->would_rule != GPC_NONE) {
		at = put_rule(at, image, e->would_policy, e->would_rule);
		at = put(at, e->would == GPC_ACTION_REJECT ? "\twould-reject" : "\twould-deny");
	} else {
		at = put(at, "\t-\t-");
	}
	*at++ = '\n';
	return (size_t)(at - out);
}
