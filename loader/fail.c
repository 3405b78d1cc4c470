/* SPDX-License-Identifier: MIT */
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int gpc_fail(struct gpc_failure *failure, enum gpc_exit code, int error, const char *format, ...)
{
	va_list arguments;
	size_t used;
	int n;

	failure->code = code;
	failure->error = error;
	failure->hint[0] = '\0';
	va_start(arguments, format);
	n = vsnprintf(failure->message, sizeof(failure->message), format, arguments);
	va_end(arguments);
	if (n < 0)
		failure->message[0] = '\0';
	used = strlen(failure->message);
	if (error)
		snprintf(failure->message + used, sizeof(failure->message) - used, ": %s",
			 strerror(error));
	return -1;
}

int gpc_fail_hint(struct gpc_failure *failure, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(failure->hint, sizeof(failure->hint), format, arguments);
	va_end(arguments);
	if (n < 0)
		failure->hint[0] = '\0';
	return -1;
}
