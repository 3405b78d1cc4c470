/* SPDX-License-Identifier: MIT */
#include "notice.h"

#include <stdarg.h>
#include <stdio.h>

static void say(const struct gpc_notice_sink *sink, bool warning, const char *format,
		va_list arguments)
{
	char text[1024];

	if (!sink || !sink->say || vsnprintf(text, sizeof(text), format, arguments) < 0)
		return;
	sink->say(sink->context, warning, text);
}

void gpc_notice(const struct gpc_notice_sink *sink, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(sink, false, format, arguments);
	va_end(arguments);
}

void gpc_warn(const struct gpc_notice_sink *sink, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(sink, true, format, arguments);
	va_end(arguments);
}
