/* SPDX-License-Identifier: MIT */
/* address.h: what is wrong with the text of an address or prefix, for messages. */
#ifndef GPC_INTENT_ADDRESS_H
#define GPC_INTENT_ADDRESS_H

#include "../base/ip.h"
#include "../diag/diag.h"

struct gpc_address_fault {
	enum gpc_code code;
	const char *what; /* "host bits set in `10.0.0.1/8`" */
	const char *hint; /* NULL for none */
};

/* `masked`: what gpc_prefix_parse() gave with GPC_IP_HOST_BITS. */
struct gpc_address_fault gpc_address_fault(struct gpc_arena *arena, enum gpc_ip_error error,
					   const char *text, const struct gpc_prefix *masked);

#endif
