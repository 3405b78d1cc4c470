/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "quote.h"
#include "slot.h"

static void report_address(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			   enum gpc_ip_error error, const struct gpc_prefix *masked)
{
	struct gpc_diags *diags = slot->values->diags;
	const char *text = gpc_quote(diags->arena, scalar->text);
	char prefix[GPC_PREFIX_TEXT];

	switch (error) {
	case GPC_IP_LEADING_ZERO:
		gpc_slot_scalar_fault(slot, GPC_E0109, scalar, "number with a leading zero: `%s`",
				      text);
		break;
	case GPC_IP_MAPPED:
		gpc_diag_hint(diags,
			      gpc_slot_scalar_fault(slot, GPC_E0116, scalar,
						    "v4-mapped address `%s`", text),
			      "write the IPv4 form");
		break;
	case GPC_IP_LENGTH:
		gpc_slot_scalar_fault(slot, GPC_E0117, scalar, "prefix length out of range: `%s`",
				      text);
		break;
	case GPC_IP_HOST_BITS:
		gpc_diag_hint(diags,
			      gpc_slot_scalar_fault(slot, GPC_E0118, scalar,
						    "host bits set in `%s`", text),
			      "the prefix is %s", gpc_prefix_format(masked, prefix));
		break;
	case GPC_IP_ZONE:
		gpc_diag_hint(diags,
			      gpc_slot_scalar_fault(slot, GPC_E0115, scalar,
						    "address with a zone: `%s`", text),
			      "write it without `%%` and what follows");
		break;
	default:
		gpc_slot_scalar_fault(slot, GPC_E0115, scalar, "not an address: `%s`", text);
	}
}

bool gpc_slot_prefix(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		     struct gpc_prefix *ret)
{
	struct gpc_prefix prefix = {0};
	enum gpc_ip_error error = gpc_prefix_parse(scalar->text, strlen(scalar->text), &prefix);

	if (error) {
		report_address(slot, scalar, error, &prefix);
		return false;
	}
	*ret = prefix;
	return true;
}

bool gpc_slot_address(const struct gpc_slot *slot, const struct gpc_scalar *scalar, bool whole,
		      struct gpc_prefix *ret)
{
	struct gpc_diags *diags = slot->values->diags;
	struct gpc_prefix prefix;

	if (!gpc_slot_prefix(slot, scalar, &prefix))
		return false;
	if (whole && strchr(scalar->text, '/')) {
		gpc_diag_hint(diags,
			      gpc_slot_scalar_fault(slot, GPC_E0115, scalar,
						    "prefix where an address is wanted: `%s`",
						    scalar->text),
			      "write the address without `/`");
		return false;
	}
	if (prefix.length != (prefix.v4 ? 32 : 128)) {
		gpc_diag_hint(diags,
			      gpc_slot_scalar_fault(slot, GPC_E0119, scalar,
						    "not built yet: prefix `%s`", scalar->text),
			      "write whole addresses; prefixes come with %s",
			      gpc_feature_name(GPC_FEATURE_BALANCING));
		return false;
	}
	*ret = prefix;
	return true;
}
