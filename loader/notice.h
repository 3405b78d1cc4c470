/* SPDX-License-Identifier: MIT */
/*
 * notice.h: messages that do not end the command (device skipped, next hop unknown), said as they
 * come. Library code never prints; it says.
 */
#ifndef GPC_LOADER_NOTICE_H
#define GPC_LOADER_NOTICE_H

#include <stdbool.h>

struct gpc_notice_sink {
	void (*say)(void *context, bool warning, const char *text);
	void *context;
};

/* NULL sink: said to nobody. */
void gpc_notice(const struct gpc_notice_sink *sink, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void gpc_warn(const struct gpc_notice_sink *sink, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
