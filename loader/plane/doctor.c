/* SPDX-License-Identifier: MIT */
/* Probes of the host: what can be tried is tried, not concluded from a version. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "kernel.h"
#include "doctor.h"
#include "prog.h"

struct gpc_doctor_probe *gpc_doctor_add(struct gpc_doctor_probes *probes, enum gpc_health health,
				const char *format, ...)
{
	static struct gpc_doctor_probe lost;
	struct gpc_doctor_probe *items = realloc(probes->items, (probes->count + 1) * sizeof(*items));
	struct gpc_doctor_probe *probe = &lost;
	va_list arguments;

	if (items) {
		probes->items = items;
		probe = &items[probes->count++];
	}
	probes->exhausted |= !items;
	*probe = (struct gpc_doctor_probe){.health = health};
	va_start(arguments, format);
	vsnprintf(probe->name, sizeof(probe->name), format, arguments);
	va_end(arguments);
	return probe;
}

void gpc_doctor_found(struct gpc_doctor_probe *probe, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(probe->found, sizeof(probe->found), format, arguments);
	va_end(arguments);
}

void gpc_doctor_fix(struct gpc_doctor_probe *probe, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(probe->fix, sizeof(probe->fix), format, arguments);
	va_end(arguments);
}

long gpc_doctor_number(const char *format, ...)
{
	char path[256];
	va_list arguments;
	long number = -1;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	GPC_AUTO_FCLOSE FILE *file = fopen(path, "re");
	if (!file || fscanf(file, "%ld", &number) != 1)
		return -1;
	return number;
}

/* ---- kernel ---- */

static void probe_kernel(struct gpc_doctor_probes *probes)
{
	char release[65] = "unknown";
	bool old = gpc_kernel_release(release, sizeof(release)) < GPC_KERNEL_LEAST;
	struct gpc_doctor_probe *probe =
		gpc_doctor_add(probes, old ? GPC_HEALTH_FAIL : GPC_HEALTH_OK, "kernel");

	gpc_doctor_found(probe, "Linux %s%s", release,
			old ? ", gpc needs " GPC_KERNEL_LEAST_TEXT : "");
	if (old)
		gpc_doctor_fix(probe, "apt-get install -t bookworm-backports linux-image-amd64");
}

static void probe_capabilities(struct gpc_doctor_probes *probes)
{
	char missing[64];
	bool all = !*gpc_kernel_missing_capabilities(missing, sizeof(missing));
	struct gpc_doctor_probe *probe =
		gpc_doctor_add(probes, all ? GPC_HEALTH_OK : GPC_HEALTH_FAIL, "capabilities");

	if (all) {
		gpc_doctor_found(probe, "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON");
		return;
	}
	gpc_doctor_found(probe, "missing %s", missing);
	gpc_doctor_fix(probe, "sudo gpc doctor");
}

/* The programs themselves: verified by this kernel, over small maps, then let go. */
static void probe_programs(struct gpc_doctor_probes *probes)
{
	const struct gpc_prog_sizes sizes = {
		.log2 = GPC_IMAGE_MIN_LOG2,
		.flows = GPC_MIN_FLOWS,
		.counters = GPC_COUNTER_FIRST_OBJECT,
		.next = 64,
	};
	GPC_CLEANUP(gpc_instance_close) struct gpc_instance instance;
	struct gpc_failure failure;
	struct gpc_doctor_probe *probe;

	gpc_instance_init(&instance);
	if (!gpc_prog_load(&sizes, NULL, false, &instance, &failure)) {
		probe = gpc_doctor_add(probes, GPC_HEALTH_OK, "programs");
		gpc_doctor_found(probe, "the kernel takes all %d", GPC_PROGRAM_COUNT);
		return;
	}
	probe = gpc_doctor_add(probes, GPC_HEALTH_FAIL, "programs");
	gpc_doctor_found(probe, "%.250s", failure.message);
	gpc_doctor_fix(probe, "sudo gpc doctor");
	if (failure.error != EPERM && failure.error != EACCES)
		gpc_doctor_fix(probe, "uname -r; apt-get install linux-image-amd64");
}

static void probe_btf(struct gpc_doctor_probes *probes)
{
	bool there = !access("/sys/kernel/btf/vmlinux", R_OK);
	struct gpc_doctor_probe *probe = gpc_doctor_add(probes, GPC_HEALTH_OK, "btf");

	gpc_doctor_found(probe, there ? "/sys/kernel/btf/vmlinux"
				     : "the kernel has none; gpc does not need it");
}

static void probe_tcx(struct gpc_doctor_probes *probes)
{
	struct gpc_doctor_probe *probe = gpc_doctor_add(probes, GPC_HEALTH_OK, "tcx");

	gpc_doctor_found(probe, gpc_kernel_has_tcx()
				       ? "TC hooks are links"
				       : "no TCX before Linux 6.6: TC hooks are filters of clsact");
}

static void probe_grace(struct gpc_doctor_probes *probes)
{
	int r = gpc_kernel_grace();
	struct gpc_doctor_probe *probe =
		gpc_doctor_add(probes, r ? GPC_HEALTH_FAIL : GPC_HEALTH_OK, "membarrier");

	gpc_doctor_found(probe, r ? "%s" : "a grace period can be waited for", strerror(-r));
	if (r)
		gpc_doctor_fix(probe, "grep nohz_full /proc/cmdline  # boot without it");
}

static void probe_jit(struct gpc_doctor_probes *probes)
{
	long jit = gpc_doctor_number("/proc/sys/net/core/bpf_jit_enable");
	struct gpc_doctor_probe *probe =
		gpc_doctor_add(probes, jit == 0 ? GPC_HEALTH_WARN : GPC_HEALTH_OK, "jit");

	gpc_doctor_found(probe, jit < 0 ? "not to be read in this namespace"
			       : jit   ? "on"
				       : "off: programs are interpreted, many times slower");
	if (jit == 0)
		gpc_doctor_fix(probe, "sysctl -w net.core.bpf_jit_enable=1");
}

static void probe_stats(struct gpc_doctor_probes *probes)
{
	bool on = gpc_doctor_number("/proc/sys/kernel/bpf_stats_enabled") == 1;
	struct gpc_doctor_probe *probe =
		gpc_doctor_add(probes, on ? GPC_HEALTH_WARN : GPC_HEALTH_OK, "bpf-stats");

	gpc_doctor_found(probe, on ? "on: costs 40 ns a packet" : "off");
	if (on)
		gpc_doctor_fix(probe, "sysctl -w kernel.bpf_stats_enabled=0");
}

/* ---- bpffs ---- */

static void probe_bpffs(struct gpc_doctor_probes *probes, const char *bpffs)
{
	struct gpc_failure failure;
	bool present;
	int r = gpc_pin_check(bpffs, &present, &failure);
	struct gpc_doctor_probe *probe =
		gpc_doctor_add(probes, r ? GPC_HEALTH_FAIL : GPC_HEALTH_OK, "bpffs");
	const char *command;

	if (!r) {
		gpc_doctor_found(probe, "%s", bpffs);
		return;
	}
	command = strstr(failure.hint, ": ");
	gpc_doctor_found(probe, "%.250s", failure.message);
	if (failure.error == EACCES || failure.error == EPERM)
		gpc_doctor_fix(probe, "sudo gpc doctor");
	else if (command)
		gpc_doctor_fix(probe, "%.250s", command + 2);
	else
		gpc_doctor_fix(probe, "ls -la %.200s", bpffs);
}

static int probe_image(struct gpc_doctor_probes *probes, const char *bpffs, const struct gpc_image *image,
		       struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_survey_close) struct gpc_survey survey = {0};
	struct gpc_failure why;
	struct gpc_doctor_probe *probe;

	if (!gpc_survey_open(bpffs, &survey, &why))
		return gpc_doctor_devices(probes, &survey, image, failure);
	probe = gpc_doctor_add(probes, GPC_HEALTH_FAIL, "plane");
	gpc_doctor_found(probe, "%.250s", why.message);
	gpc_doctor_fix(probe, "gpc status");
	return 0;
}

int gpc_doctor(const char *bpffs, const struct gpc_image *image, struct gpc_doctor_probe **ret,
	       size_t *ret_count, struct gpc_failure *failure)
{
	struct gpc_doctor_probes probes = {0};

	gpc_kernel_listen();
	probe_kernel(&probes);
	probe_capabilities(&probes);
	probe_bpffs(&probes, bpffs);
	probe_programs(&probes);
	probe_btf(&probes);
	probe_tcx(&probes);
	probe_grace(&probes);
	probe_jit(&probes);
	probe_stats(&probes);
	if (image && probe_image(&probes, bpffs, image, failure)) {
		free(probes.items);
		return -1;
	}
	if (probes.exhausted) {
		free(probes.items);
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot keep what doctor found");
	}
	*ret = probes.items;
	*ret_count = probes.count;
	return 0;
}
