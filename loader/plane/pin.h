/* SPDX-License-Identifier: MIT */
/*
 * pin.h: the folder on bpffs where a plane is found again, and nothing is kept anywhere else.
 *
 *   netns-COOKIE/                  the network namespace that the plane is in
 *   inst-N-CLASS-BUILD/            one set of programs and their maps: number, size class, identity
 *     ctl images flows4 heads4 flows6 heads6 next ...      of the object code
 *     xdp decap tc_ingress tc_egress odd error consult serve answer
 *     slot-S                       the image map in slot S
 *   links/HOOK-IFINDEX-DEVICE      bpf links (bpffs allows no dot in a name: %2e)
 *   tmp-N-CLASS-BUILD/             an instance that is not complete: left by a kill, swept by the next
 */
#ifndef GPC_LOADER_PLANE_PIN_H
#define GPC_LOADER_PLANE_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../fail.h"

#define GPC_PIN_PATH 512

/* Formats a path below the folder; FAILED if it is too long. */
int gpc_pin_path(char out[GPC_PIN_PATH], struct gpc_failure *failure, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Is the folder on bpffs, or would it be, and if it is there (*ret_present), ours alone and of this
 * network namespace? HOST with the command that mends it, CONFLICT when the plane is another
 * namespace's. gpc mounts no bpffs: in a mount namespace of its own the plane would end with gpc.
 */
int gpc_pin_check(const char *bpffs, bool *ret_present, struct gpc_failure *failure);

/* Makes the folder itself, and what is missing above it. */
int gpc_pin_make_folder(const char *bpffs, struct gpc_failure *failure);

/* Makes the folder and in it what a plane needs. */
int gpc_pin_make(const char *bpffs, struct gpc_failure *failure);

/* Takes back what gpc_pin_make() put into the folder. */
int gpc_pin_empty(const char *bpffs, struct gpc_failure *failure);

/* Removes an empty plane's folder; what is not gpc's stays, and with it the folder. */
int gpc_pin_unmake(const char *bpffs, struct gpc_failure *failure);

/* Names in a folder, sorted; a folder that is not there has none. malloc'ed array and strings. */
int gpc_pin_list(const char *path, char ***ret_names, size_t *ret_count, struct gpc_failure *failure);
void gpc_pin_list_release(char **names, size_t count);

/* Removes the path and, two levels deep, what is below it. What is not there is no failure. */
int gpc_pin_remove(const char *path, struct gpc_failure *failure);

int gpc_pin_remove_at(const char *folder, const char *name, struct gpc_failure *failure);

/* Device names as parts of a file name on bpffs. False if the text is no such name. */
void gpc_pin_escape(const char *name, char *out, size_t size);
bool gpc_pin_unescape(const char *text, char *out, size_t size);

#endif
