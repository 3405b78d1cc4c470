/* SPDX-License-Identifier: MIT */
/*
 * binding.h: which program hangs on which device and hook, as it is and as an image wants it.
 *
 * A binding is a bpf link, pinned under links/; on kernels before 6.6 the TC hooks are filters of
 * clsact with gpc's handle and priority instead. Links are taken over from instance to instance by
 * bpf_link_update with the expected old program, so a hook is never without one.
 *
 * Order: links_read, bindings_plan, bindings_check (foreign programs: nothing is changed if there is
 * one), bindings_attach, links_prune. bindings_undo takes back what bindings_attach did.
 */
#ifndef GPC_LOADER_PLANE_BINDING_H
#define GPC_LOADER_PLANE_BINDING_H

#include "../link/device.h"
#include "instance.h"

/* A link as it was found. */
struct gpc_link {
	char pin[GPC_PIN_PATH];		/* empty: a clsact filter */
	char device[IFNAMSIZ];		/* its name when it was bound */
	uint8_t hook;			/* GPC_HOOK_* */
	uint32_t ifindex;		/* 0: its device is gone */
	uint32_t program;		/* id */
	int fd;				/* -1: a clsact filter */
	bool wanted;			/* set by the plan */
};

struct gpc_links {
	struct gpc_link *items;
	size_t count;
};

/* `instances`: those whose programs make a clsact filter one of ours. */
int gpc_links_read(const char *bpffs, const struct gpc_devices *devices,
		   const struct gpc_instance *instances, size_t instance_count,
		   struct gpc_links *ret, struct gpc_failure *failure);
void gpc_links_release(struct gpc_links *links);

struct gpc_binding {
	const struct gpc_device *device;
	uint8_t hook, mode;		/* GPC_HOOK_*, enum gpc_mode */
	enum gpc_program_id program;
	struct gpc_link *link;		/* what hangs there, NULL: nothing of ours */
	bool generic;			/* it runs, or will run, in generic mode */
	bool reattach;			/* it hangs there in a mode that is not wanted */
	/* what bindings_attach did, for undo */
	enum { GPC_BINDING_UNTOUCHED, GPC_BINDING_CREATED, GPC_BINDING_UPDATED } done;
	char pin[GPC_PIN_PATH];
	int fd, old_program;		/* owned; -1 */
};

struct gpc_bindings {
	struct gpc_binding *items;
	size_t count;
};

/* What the image wants on the matched devices; marks the links that it keeps. */
int gpc_bindings_plan(const struct gpc_image *image, const struct gpc_devices *devices,
		      struct gpc_links *links, struct gpc_bindings *ret,
		      struct gpc_failure *failure);
void gpc_bindings_release(struct gpc_bindings *bindings);

/* HOST naming the foreign XDP program, if there is one where ours is wanted. */
int gpc_bindings_check(const struct gpc_bindings *bindings, struct gpc_failure *failure);

/* Makes the programs of `instance` hang where they are wanted. `olds`: instances to come from. */
int gpc_bindings_attach(const char *bpffs, struct gpc_bindings *bindings,
			const struct gpc_instance *instance, const struct gpc_instance *olds,
			size_t old_count, const struct gpc_notice_sink *notices,
			struct gpc_failure *failure);
void gpc_bindings_undo(struct gpc_bindings *bindings);

/* Removes the links that the plan does not want: devices that are gone or no longer the plane's. */
int gpc_links_prune(struct gpc_links *links, const struct gpc_notice_sink *notices,
		    struct gpc_failure *failure);

/* Removes every pinned link, whatever it is, of a plane whose instances cannot be read. */
int gpc_links_remove(const char *bpffs, struct gpc_failure *failure);

const char *gpc_hook_name(uint8_t hook);

#endif
