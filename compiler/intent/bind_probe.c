/* SPDX-License-Identifier: MIT */
/* What probes have that nothing else has: payloads, commands, and exactly one question. */
#include <string.h>

#include "../base/utf8.h"
#include "quote.h"
#include "scalar.h"
#include "whole.h"

static void refuse_payload(const struct gpc_slot *slot, const struct gpc_scalar *scalar)
{
	struct gpc_diag *diag =
		gpc_slot_scalar_fault(slot, GPC_E0491, scalar, "not a payload: `%s`",
				      gpc_quote(slot->values->diags->arena, scalar->text));

	gpc_diag_hint(slot->values->diags, diag,
		      "write text, or 0x and two hexadecimal digits for each byte, up to %u bytes",
		      GPC_MAX_PROBE_PAYLOAD);
}

void gpc_bind_payload(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		      struct gpc_bytes_value *target)
{
	bool hex = !strncmp(scalar->text, "0x", 2);
	size_t length = strlen(scalar->text), size = hex ? (length - 2) / 2 : length;
	uint8_t *bytes;

	if (!size || size > GPC_MAX_PROBE_PAYLOAD) {
		refuse_payload(slot, scalar);
		return;
	}
	bytes = gpc_arena_alloc(slot->values->diags->arena, size);
	if (!hex)
		memcpy(bytes, scalar->text, size);
	else if (gpc_scalar_hex(scalar->text + 2, bytes, size)) {
		refuse_payload(slot, scalar);
		return;
	}
	*target = (struct gpc_bytes_value){.bytes = bytes, .size = size, .at = scalar->at};
}

/* ---- commands ---- */

static struct gpc_diag *refuse_word(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
				    const char *what)
{
	return gpc_slot_scalar_fault(slot, GPC_E0492, scalar, "%s: `%s`", what,
				     gpc_quote(slot->values->diags->arena, scalar->text));
}

static void check_word(const struct gpc_slot *slot, const struct gpc_scalar *scalar, bool first)
{
	if (!gpc_utf8_is_printable(scalar->text, strlen(scalar->text)))
		refuse_word(slot, scalar, "word of a command that cannot be shown");
	else if (first && *scalar->text != '/')
		gpc_diag_hint(slot->values->diags,
			      refuse_word(slot, scalar, "program without its absolute path"),
			      "a plane may be applied in any folder; write all of its path");
}

void gpc_bind_command(const struct gpc_slot *slot, const struct gpc_node *node, void *target)
{
	struct gpc_text_value *words;

	if (!gpc_slot_wants(slot, node, GPC_NODE_LIST))
		return;
	if (!node->list.count || node->list.count > GPC_MAX_PROBE_WORDS) {
		gpc_diag_hint(slot->values->diags,
			      gpc_slot_fault(slot, GPC_E0492, node->place, "%zu words",
					     node->list.count),
			      "write 1 to %u: the program, then its arguments", GPC_MAX_PROBE_WORDS);
		return;
	}
	words = gpc_slot_push(slot, target, sizeof(*words), node->list.count);
	for (size_t i = 0; i < node->list.count; i++) {
		struct gpc_scalar scalar;

		if (!gpc_slot_scalar(slot, node->list.items[i], &scalar))
			continue;
		check_word(slot, &scalar, i == 0);
		words[i] = (struct gpc_text_value){.text = scalar.text, .at = scalar.at};
	}
}

/* ---- the whole probe ---- */

void gpc_bind_whole_probe(const struct gpc_whole *whole, struct gpc_probe_intent *probe)
{
	static const char *const questions[GPC_PROBE_KINDS] = {
		[GPC_PROBE_TCP] = "tcp",
		[GPC_PROBE_HTTP] = "http",
		[GPC_PROBE_UDP] = "udp",
		[GPC_PROBE_EXEC] = "exec",
	};
	const struct gpc_pair *interface = gpc_whole_written(whole, "interface");
	unsigned int written = 0;

	for (unsigned int kind = 0; kind < GPC_PROBE_KINDS; kind++)
		if (gpc_whole_written(whole, questions[kind])) {
			probe->kind = (enum gpc_probe_kind)kind;
			written++;
		}
	if (written != 1)
		gpc_whole_fault(whole, GPC_E0494, whole->node->place,
				"not exactly one of `tcp`, `http`, `udp` and `exec`");
	else if (interface && probe->kind == GPC_PROBE_EXEC)
		gpc_whole_hint(whole,
			       gpc_whole_fault(whole, GPC_E0495, interface->key_place,
					       "`interface` without meaning for `exec`"),
			       "remove it, or give the program the device as an argument");
}
