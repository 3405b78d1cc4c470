/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "tcx.h"

/* The first warning is the cause, what follows is its consequences. */
static char first_warning[512];

static int hear(enum libbpf_print_level level, const char *format, va_list arguments)
{
	size_t size;

	if (level != LIBBPF_WARN || first_warning[0])
		return 0;
	vsnprintf(first_warning, sizeof(first_warning), format, arguments);
	size = strcspn(first_warning, "\n");
	first_warning[size] = '\0';
	return 0;
}

void gpc_kernel_listen(void)
{
	first_warning[0] = '\0';
	libbpf_set_print(hear);
}

static uint64_t effective_capabilities(void)
{
	GPC_AUTO_FCLOSE FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long long mask;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %llx", &mask) == 1)
			return mask;
	return ~0ull;
}

const char *gpc_kernel_missing_capabilities(char *out, size_t size)
{
	static const struct {
		int bit;
		bool admin; /* CAP_SYS_ADMIN has it, too */
		const char *name;
	} needed[] = {
		{CAP_BPF, true, "CAP_BPF"},
		{CAP_NET_ADMIN, false, "CAP_NET_ADMIN"},
		{CAP_PERFMON, true, "CAP_PERFMON"},
	};
	uint64_t have = effective_capabilities();
	size_t used = 0, i;

	out[0] = '\0';
	for (i = 0; i < sizeof(needed) / sizeof(*needed) && used < size; i++) {
		if (have >> needed[i].bit & 1 || (needed[i].admin && have >> CAP_SYS_ADMIN & 1))
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
					 needed[i].name);
	}
	return out;
}

unsigned int gpc_kernel_release(char *ret_release, size_t size)
{
	struct utsname name;
	unsigned int major = 0, minor = 0;

	if (uname(&name))
		return 0;
	snprintf(ret_release, size, "%s", name.release);
	if (sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return major * 1000 + (minor > 999 ? 999 : minor);
}

int gpc_kernel_fail(struct gpc_failure *failure, int error, const char *format, ...)
{
	char what[512], missing[64], release[65];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	gpc_fail(failure, GPC_EXIT_HOST, error, "%s", what);
	if (first_warning[0]) {
		size_t used = strlen(failure->message);

		snprintf(failure->message + used, sizeof(failure->message) - used, " (%s)",
			 first_warning);
	}
	gpc_kernel_missing_capabilities(missing, sizeof(missing));
	if (*missing)
		return gpc_fail_hint(failure,
				     "missing %s; run gpc as root or with CAP_BPF, "
				     "CAP_NET_ADMIN and CAP_PERFMON",
				     missing);
	if (gpc_kernel_release(release, sizeof(release)) < GPC_KERNEL_LEAST)
		return gpc_fail_hint(
			failure, "gpc needs Linux " GPC_KERNEL_LEAST_TEXT " or later, this is %s",
			release);
	if (error == EPERM || error == EACCES)
		return gpc_fail_hint(failure,
				     "bpf() is forbidden here although no capability is missing: "
				     "look for a seccomp filter or kernel lockdown");
	if (error == ENOMEM || error == E2BIG)
		return gpc_fail_hint(failure, "smaller `defaults.flows` needs less memory");
	return gpc_fail_hint(failure, "run: gpc doctor");
}

bool gpc_kernel_has_tcx(void)
{
	__u32 flags = 0, count = 0;
	int r = bpf_prog_query(1, GPC_TCX_INGRESS, 0, &flags, NULL, &count);

	return r == 0 || errno != EINVAL;
}

uint32_t gpc_kernel_cpus(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	return online > 0 ? (uint32_t)online : 1;
}

int gpc_kernel_grace(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) ? -errno : 0;
}
