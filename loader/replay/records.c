/* SPDX-License-Identifier: MIT */
#include "record.h"

void gpc_records_close(struct gpc_records **records)
{
	if (*records)
		(*records)->close(*records);
	*records = NULL;
}
