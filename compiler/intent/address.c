/* SPDX-License-Identifier: MIT */
#include "address.h"

#include "quote.h"

struct gpc_address_fault gpc_address_fault(struct gpc_arena *arena, enum gpc_ip_error error,
					   const char *text, const struct gpc_prefix *masked)
{
	static const struct {
		enum gpc_code code;
		const char *what, *hint;
	} faults[] = {
		[GPC_IP_SYNTAX] = {GPC_E0115, "not an address:", NULL},
		[GPC_IP_LEADING_ZERO] = {GPC_E0109, "number with a leading zero:", NULL},
		[GPC_IP_ZONE] = {GPC_E0115,
				 "address with a zone:", "write it without `%` and what follows"},
		[GPC_IP_MAPPED] = {GPC_E0116, "v4-mapped address", "write the IPv4 form"},
		[GPC_IP_LENGTH] = {GPC_E0117, "prefix length out of range:", NULL},
		[GPC_IP_HOST_BITS] = {GPC_E0118, "host bits set in", NULL},
	};
	char prefix[GPC_PREFIX_TEXT];
	struct gpc_address_fault fault = {
		.code = faults[error].code,
		.what = gpc_arena_printf(arena, "%s `%s`", faults[error].what,
					 gpc_quote(arena, text)),
		.hint = faults[error].hint,
	};

	if (error == GPC_IP_HOST_BITS)
		fault.hint = gpc_arena_printf(arena, "the prefix is %s",
					      gpc_prefix_format(masked, prefix));
	return fault;
}
