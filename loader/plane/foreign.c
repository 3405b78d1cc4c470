/* SPDX-License-Identifier: MIT */
#include "foreign.h"

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"

/* Empty if this process may not ask, or the program has none. */
static void program_name(uint32_t program, char out[BPF_OBJ_NAME_LEN + 1])
{
	GPC_AUTO_CLOSE int fd = program ? bpf_prog_get_fd_by_id(program) : -1;
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	out[0] = '\0';
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size))
		snprintf(out, BPF_OBJ_NAME_LEN + 1, "%.*s", BPF_OBJ_NAME_LEN, info.name);
}

void gpc_foreign_describe(const char *device, uint32_t program, struct gpc_foreign *ret)
{
	char name[BPF_OBJ_NAME_LEN + 1], quoted[BPF_OBJ_NAME_LEN + 4] = "";
	bool gpc;

	program_name(program, name);
	gpc = !strcmp(name, "gpc_xdp") || !strcmp(name, "gpc_decap");
	if (*name)
		snprintf(quoted, sizeof(quoted), " '%s'", name);
	snprintf(ret->what, sizeof(ret->what), "XDP program of %s: id %u%s",
		 gpc ? "another gpc plane" : "somebody else", program, quoted);
	if (gpc)
		snprintf(ret->fix, sizeof(ret->fix),
			 "GPC_BPFFS=FOLDER gpc status  # FOLDER: that plane's; "
			 "`ip netns exec` hides it: enter with nsenter --net=/run/netns/NAME");
	else
		snprintf(ret->fix, sizeof(ret->fix),
			 "ip link set dev %s xdp off  # or stop what put it "
			 "there; gpc never replaces what it did not attach",
			 device);
}

int gpc_foreign_refuse(const char *device, uint32_t program, struct gpc_failure *failure)
{
	struct gpc_foreign foreign;

	gpc_foreign_describe(device, program, &foreign);
	gpc_fail(failure, GPC_EXIT_HOST, 0, "device '%s' already has an %s", device, foreign.what);
	return gpc_fail_hint(failure, "run: %s", foreign.fix);
}
