/* SPDX-License-Identifier: MIT */
/*
 * plane.h: the running plane: pinned programs, maps and links below one bpffs folder. This is the
 * door of loader/plane; commands include nothing else of it.
 *
 * Everything needed later is found again from the pins and the image in the kernel; there is no side
 * file. Calls that change anything need the lock (lock.h) to be held; each call opens what it needs.
 *
 *   apply:   staged -> verified -> flipped -> retired      (swap.h has the state machine)
 */
#ifndef GPC_LOADER_PLANE_PLANE_H
#define GPC_LOADER_PLANE_PLANE_H

#include <stdbool.h>
#include <stdint.h>

#include "../../compiler/image/image_file.h"
#include "../fail.h"
#include "../notice.h"
#include "../override/override.h"
#include "../stance.h"
#include "confirm.h"
#include "gpc/abi.h"

struct gpc_apply_outcome {
	uint32_t generation;		/* of the link part, now active */
	bool unchanged;			/* the same decision digest was active already: nothing was swapped */
	bool turned;			/* of a plane that ran: its policies go from audit to enforce or back */
	uint32_t devices;		/* devices bound */
	double flip_us;			/* the store itself, all hooks */
	double total_ms;
};

/*
 * Makes `image` (checked, unlinked) the active one: first apply creates maps, programs and links;
 * later ones stage, verify and flip. On failure the running plane is as it was. Idempotent: devices
 * that appeared are bound, dead links replaced, even when the image is unchanged.
 * Exits: HOST (kernel, capability, foreign program, driver), CONFLICT, FAILED.
 * `generation`: number to give this image (from the history), 1..2^29-1. `stance`: whether its
 * policies decide; changed by the same store as the image. `overrides`: what of them is live, and about
 * objects of the image, holds for it from its first packet on; NULL: nobody knows, what the maps say stays.
 * `confirm_ms`: so long it may run without gpc_confirm_keep(), then what runs now decides again (confirm.h;
 * when nothing runs: every packet passes); 0: for good. REFUSED where one word cannot take it back.
 */
int gpc_plane_apply(const char *bpffs, const struct gpc_image *image, uint32_t generation,
		    enum gpc_stance stance, uint64_t confirm_ms,
		    const struct gpc_overrides *overrides, const struct gpc_notice_sink *notices, struct gpc_apply_outcome *ret,
		    struct gpc_failure *failure);

/* HOST when no device of this host is one of the image's, or another's program hangs where it wants its own. */
int gpc_plane_bindable(const char *bpffs, const struct gpc_image *image,
		       struct gpc_failure *failure);

/* CONFLICT when an apply waits and they cannot hold for both images. */
int gpc_plane_overridable(const char *bpffs, const struct gpc_overrides *overrides,
			  struct gpc_failure *failure);
/* Makes `overrides`, and nothing but them, hold for the running image. FAILED when none runs. */
int gpc_plane_override(const char *bpffs, const struct gpc_overrides *overrides,
		       struct gpc_failure *failure);

/*
 * Frees what the last apply left: images that nothing names any more, programs that were grown out
 * of. Takes a grace period, so it comes after the answer; without it the next apply still works, but
 * undo is no longer possible after it.
 */
int gpc_plane_retire(const char *bpffs, struct gpc_failure *failure);

/* Flips back to the image that was active before the last flip of this process (undo of apply). */
int gpc_plane_undo(const char *bpffs, struct gpc_failure *failure);

enum gpc_link_state { GPC_LINK_OK, GPC_LINK_GONE, GPC_LINK_FOREIGN, GPC_LINK_MISSING };
struct gpc_device_status {
	char name[16];
	uint32_t ifindex;
	uint32_t interface;		/* index in the image, GPC_NONE if none takes the name any more */
	uint8_t hook;			/* one GPC_HOOK_* bit */
	bool generic;			/* skb mode */
	enum gpc_link_state state;
	char detail[128];		/* of a state that is not OK */
};

struct gpc_plane_status {
	bool present;			/* a plane is pinned there */
	uint64_t control;		/* the control word as it means now: gpc_ctl_expired() if it is */
	struct gpc_confirm confirm;
	bool has_image;			/* else `problem` says why; devices, counters, next hops are empty */
	char problem[256];
	struct gpc_image image;		/* a copy of the active image, linked; gpc_plane_status_release() */
	struct gpc_device_status *devices;
	size_t device_count;
	struct gpc_counter *counters;	/* summed over CPUs, by slot */
	size_t counter_count;
	struct gpc_rule_counter *rules;	/* by slot, of all CPUs; log_tat and log_seen are 0 */
	size_t rule_count;
	struct gpc_limiter limits[GPC_LIMIT_COUNT];	/* of all CPUs; tat is 0 */
	struct gpc_next *next;		/* next hops by slot */
	size_t next_count;
	struct gpc_endpoint_state *endpoints;	/* by counter slot; NULL: an older gpc's plane */
	struct gpc_backend_state *backends;
	size_t endpoint_states, backend_states;
	uint32_t size_log2;		/* size class of the programs */
	uint32_t images_read;		/* how often the image was another one, gpc_plane_read_again() */
};

/*
 * One reading: the control word, then the image that it names, then devices and counters, reason slots
 * first and those of objects after them, then the word again; when it has changed, all anew. Packets go
 * on being counted meanwhile, so sums may differ by those of some microseconds.
 */
int gpc_plane_read(const char *bpffs, struct gpc_plane_status *ret, struct gpc_failure *failure);
/*
 * The same into a status that was read before (or is all zero); it is as it was on failure. An image
 * that is still the active one is kept, not read and checked again.
 */
int gpc_plane_read_again(const char *bpffs, struct gpc_plane_status *status,
			 struct gpc_failure *failure);
void gpc_plane_status_release(struct gpc_plane_status *status);

/* How full a family's flow table is. */
struct gpc_flow_fill {
	uint32_t capacity;
	uint64_t entries;		/* all, also of flows that are over: the kernel evicts the oldest */
	uint64_t active[GPC_FLOW_TWIN];	/* flows that are not over, by enum gpc_flow_state */
	bool complete;			/* false: at least so many, the time was over */
};
struct gpc_flows {
	struct gpc_flow_fill family[2];	/* by enum gpc_family */
	uint64_t *endpoint;		/* active flows by endpoint index of the image */
	uint64_t asked, revoked;	/* of gpc_plane_flows_under(): active ones, not revoked yet */
};

/*
 * Walks over the flow tables of the plane that `status` is a reading of, for at most `budget_ms`. A
 * table that changes while it is walked over may give an entry twice or not at all.
 */
int gpc_plane_flows(const char *bpffs, const struct gpc_plane_status *status, unsigned int budget_ms,
		    struct gpc_flows *ret, struct gpc_failure *failure);
/*
 * The same, and how many of them would be asked again if `next` ran, its policies in audit or not, and how
 * many of these it would revoke: at their next packet that comes to a chain.
 */
int gpc_plane_flows_under(const char *bpffs, const struct gpc_plane_status *status,
			  const struct gpc_image *next, bool audit, unsigned int budget_ms,
			  struct gpc_flows *ret, struct gpc_failure *failure);
void gpc_flows_release(struct gpc_flows *flows);

/* One difference that verify found. */
struct gpc_verify_finding {
	char what[256];			/* "maglev slot 17 of backend web: kernel 3, image 5" */
	char place[256];		/* "web.yaml:12:5", empty if none */
};
struct gpc_verify_report {
	struct gpc_verify_finding *findings;
	size_t count, total;		/* kept (at most 100), all */
	uint64_t bytes_compared;
	uint32_t links_checked;
	bool recompiled;		/* same decision, from other text: no difference */
	bool constants_unseen;		/* what programs were told when loaded takes CAP_SYS_ADMIN to see */
};

/*
 * Compares the kernel's active image with `image` byte for byte (provenance: only whether it differs;
 * link part: against what its own rules demand), and link -> program tag -> map ids with what this gpc would load.
 */
int gpc_plane_verify(const char *bpffs, const struct gpc_image *image, struct gpc_verify_report *ret,
		     struct gpc_failure *failure);
void gpc_verify_report_release(struct gpc_verify_report *report);

/* Whose programs run. */
struct gpc_plane_programs {
	bool present;			/* a plane is pinned there */
	bool own;			/* they are those that this gpc carries */
	char running[17], carried[17];	/* identities of the object code, hex */
	uint32_t generation;		/* of the active image, whoever linked it; 0: not readable */
};
int gpc_plane_programs(const char *bpffs, struct gpc_plane_programs *ret,
		       struct gpc_failure *failure);

/*
 * off: every packet passes; on: as before. ret_changed may be NULL. Needs no lock and never waits for
 * an apply: one that is under way takes over what is set.
 */
int gpc_plane_switch(const char *bpffs, bool off, bool *ret_changed, struct gpc_failure *failure);

/* Removes links, then programs and maps. Flows and counters are gone after it. Idempotent. */
int gpc_plane_detach(const char *bpffs, const struct gpc_notice_sink *notices,
		     struct gpc_failure *failure);

/* A session of the host's operator that an image would cut, or not let in again. */
#define GPC_GUARD_SESSION 128
struct gpc_guard_finding {
	char session[GPC_GUARD_SESSION];	/* "198.51.100.9:5000 -> 203.0.113.2:22" */
	char device[16];
	bool ssh;			/* the one that this process runs in */
	enum gpc_direction direction;	/* of the chain that cuts it */
	uint32_t rule;			/* index of RULE */
	bool mid_stream;		/* only because no flow is known yet and `pickup` is never */
};
struct gpc_guard_report {
	struct gpc_guard_finding *findings;
	size_t count;
	size_t sessions;		/* looked at */
	bool ssh_found;			/* this process's own session is among them */
};

/* Asks `image` about the sessions of root and of this process. `fresh`: no flow is known yet. */
int gpc_plane_guard(const struct gpc_image *image, bool fresh, struct gpc_guard_report *ret,
		    struct gpc_failure *failure);
void gpc_guard_report_release(struct gpc_guard_report *report);

/* doctor: one finding per probe. */
enum gpc_health { GPC_HEALTH_OK, GPC_HEALTH_WARN, GPC_HEALTH_FAIL };
struct gpc_doctor_probe {
	char name[48];			/* "kernel", "btf", "native-xdp eth0" */
	enum gpc_health health;
	char found[256];
	char fix[256];			/* empty when OK */
};
/* Real probes; `image` (NULL for none) adds those of its interfaces. *ret: malloc'ed array. */
int gpc_doctor(const char *bpffs, const struct gpc_image *image, struct gpc_doctor_probe **ret,
	       size_t *ret_count, struct gpc_failure *failure);

#endif
