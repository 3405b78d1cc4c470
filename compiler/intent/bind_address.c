/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "address.h"
#include "slot.h"

static void report_address(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
			   enum gpc_ip_error error, const struct gpc_prefix *masked)
{
	struct gpc_diags *diags = slot->values->diags;
	struct gpc_address_fault fault =
		gpc_address_fault(diags->arena, error, scalar->text, masked);
	struct gpc_diag *diag = gpc_slot_scalar_fault(slot, fault.code, scalar, "%s", fault.what);

	if (fault.hint)
		gpc_diag_hint(diags, diag, "%s", fault.hint);
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

bool gpc_slot_address(const struct gpc_slot *slot, const struct gpc_scalar *scalar,
		      struct gpc_prefix *ret)
{
	struct gpc_diags *diags = slot->values->diags;
	struct gpc_prefix prefix;

	if (!gpc_slot_prefix(slot, scalar, &prefix))
		return false;
	if (strchr(scalar->text, '/')) {
		gpc_diag_hint(diags,
			      gpc_slot_scalar_fault(slot, GPC_E0115, scalar,
						    "prefix where an address is wanted: `%s`",
						    scalar->text),
			      "write the address without `/`");
		return false;
	}
	*ret = prefix;
	return true;
}
