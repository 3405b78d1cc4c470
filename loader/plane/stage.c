/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "../link/held.h"
#include "control.h"
#include "failpoint.h"
#include "gpc/lookup/device.h"
#include "kernel.h"

/* Images that nobody retired: from here on their slots are used again before empty ones. */
#define LEFT_OVER_MAX 2u

static size_t class_size(const struct gpc_instance *instance)
{
	return (size_t)1 << instance->id.log2;
}

static int slot_path(const struct gpc_instance *instance, uint32_t slot, char out[GPC_PIN_PATH],
		     struct gpc_failure *failure)
{
	return gpc_pin_path(out, failure, "%s/slot-%u", instance->path, slot);
}

/* Id of the map that is in the slot, 0 if none is. */
static uint32_t slot_map_id(const struct gpc_instance *instance, uint32_t slot)
{
	__u32 id = 0;

	return bpf_map_lookup_elem(instance->map[GPC_MAP_IMAGES], &slot, &id) ? 0 : id;
}

static int map_bytes(int fd, size_t size, void **ret)
{
	void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (bytes == MAP_FAILED)
		return -errno;
	*ret = bytes;
	return 0;
}

void gpc_stage_close(struct gpc_staged *staged)
{
	if (staged->bytes)
		munmap(staged->bytes, staged->size);
	gpc_cleanup_close(&staged->fd);
	*staged = GPC_STAGED_NONE;
}

int gpc_stage_open(const struct gpc_instance *instance, uint32_t slot, struct gpc_staged *ret,
		   struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_stage_close) struct gpc_staged staged = GPC_STAGED_NONE;
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	char path[GPC_PIN_PATH];
	uint32_t id = slot_map_id(instance, slot);
	int r;

	*ret = GPC_STAGED_NONE;
	if (!id)
		return 0;
	if (slot_path(instance, slot, path, failure))
		return -1;
	staged.fd = bpf_obj_get(path);
	if (staged.fd < 0 || bpf_obj_get_info_by_fd(staged.fd, &info, &size))
		return gpc_kernel_fail(failure, errno, "cannot open the image in slot %u", slot);
	if (info.id != id || info.value_size != class_size(instance)) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0,
			 "the map in image slot %u is not the one that "
			 "gpc pinned for it",
			 slot);
		return gpc_fail_hint(failure, "somebody else wrote it; apply an image again");
	}
	staged.size = class_size(instance);
	r = map_bytes(staged.fd, staged.size, &staged.bytes);
	if (r)
		return gpc_kernel_fail(failure, -r, "cannot map the image in slot %u", slot);
	*ret = staged;
	staged = GPC_STAGED_NONE;
	return 0;
}

int gpc_stage_read(const struct gpc_instance *instance, uint32_t slot, struct gpc_image *ret,
		   struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_stage_close) struct gpc_staged staged = GPC_STAGED_NONE;
	GPC_CLEANUP(gpc_arena_release) struct gpc_arena arena = {0};
	struct gpc_diags diags;
	size_t size;

	if (gpc_stage_open(instance, slot, &staged, failure))
		return -1;
	if (!staged.bytes)
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "image slot %u is empty", slot);
	size = ((const struct gpc_image_head *)staged.bytes)->size;
	gpc_diags_init(&diags, &arena, false);
	if (size <= staged.size &&
	    gpc_image_open(&diags, "the kernel's image", staged.bytes, size, true, ret))
		return 0;
	gpc_fail(failure, GPC_EXIT_FAILED, 0, "the image in slot %u is damaged: %s", slot,
		 diags.errors ? diags.records.items[0].message : "its size is wrong");
	return gpc_fail_hint(failure, "apply an image again; gpc verify says what differs");
}

uint32_t gpc_stage_generation(const struct gpc_instance *instance, uint32_t slot)
{
	GPC_CLEANUP(gpc_stage_close) struct gpc_staged staged = GPC_STAGED_NONE;
	struct gpc_failure ignored;
	struct gpc_view view;

	if (gpc_stage_open(instance, slot, &staged, &ignored))
		return 0;
	view = (struct gpc_view){.base = staged.bytes, .mask = staged.size - 1};
	return view.base && gpc_held_linked(view) ? gpc_view_link(view)->generation : 0;
}

int gpc_stage_pick(const struct gpc_instance *instance, uint32_t *ret_slot,
		   struct gpc_failure *failure)
{
	uint64_t word = gpc_control_load(instance->control);
	uint32_t slot, spare = GPC_IMAGE_SLOTS, empty = GPC_IMAGE_SLOTS, left_over = 0;
	int r;

	for (slot = 0; slot < GPC_IMAGE_SLOTS; slot++) {
		if (gpc_control_names(word, slot))
			continue;
		if (slot_map_id(instance, slot)) {
			spare = slot;
			left_over++;
		} else {
			empty = slot;
		}
	}
	/* Of eight slots the word names at most three, so there is a spare or an empty one. */
	if (empty < GPC_IMAGE_SLOTS && left_over < LEFT_OVER_MAX) {
		*ret_slot = empty;
		return 0;
	}
	r = gpc_kernel_grace();
	if (r)
		return gpc_fail(failure, GPC_EXIT_HOST, -r, "membarrier does not work here");
	*ret_slot = spare;
	return 0;
}

int gpc_stage_fill(const struct gpc_instance *instance, const void *bytes, struct gpc_staged *ret,
		   struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_stage_close) struct gpc_staged staged = GPC_STAGED_NONE;
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
	const __u32 zero = 0;
	int r;

	staged.size = class_size(instance);
	staged.fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "gpc_image", sizeof(zero),
				   (__u32)staged.size, 1, &options);
	if (staged.fd < 0)
		return gpc_kernel_fail(failure, errno, "cannot create an image map of %zu MiB",
				       staged.size >> 20);
	if (gpc_failpoint("fill.created"))
		return gpc_failpoint_fail(failure, "fill.created");
	if (bpf_map_update_elem(staged.fd, &zero, bytes, BPF_ANY))
		return gpc_kernel_fail(failure, errno, "cannot fill the image map");
	if (bpf_map_freeze(staged.fd))
		return gpc_kernel_fail(failure, errno, "cannot freeze the image map");
	r = map_bytes(staged.fd, staged.size, &staged.bytes);
	if (r)
		return gpc_kernel_fail(failure, -r, "cannot map the image map");
	*ret = staged;
	staged = GPC_STAGED_NONE;
	return 0;
}

int gpc_stage_verify(const struct gpc_staged *staged, const void *bytes,
		     struct gpc_failure *failure)
{
	if (!memcmp(staged->bytes, bytes, staged->size))
		return 0;
	return gpc_fail(failure, GPC_EXIT_FAILED, 0,
			"the kernel's copy of the image differs from what was written");
}

int gpc_stage_place(const struct gpc_instance *instance, uint32_t slot,
		    const struct gpc_staged *staged, struct gpc_failure *failure)
{
	char path[GPC_PIN_PATH];

	if (slot_path(instance, slot, path, failure))
		return -1;
	if (unlink(path) && errno != ENOENT)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot remove '%s'", path);
	if (gpc_failpoint("place.unpinned"))
		return gpc_failpoint_fail(failure, "place.unpinned");
	if (bpf_obj_pin(staged->fd, path))
		return gpc_kernel_fail(failure, errno, "cannot pin '%s'", path);
	if (gpc_failpoint("place.pinned"))
		return gpc_failpoint_fail(failure, "place.pinned");
	if (bpf_map_update_elem(instance->map[GPC_MAP_IMAGES], &slot, &staged->fd, BPF_ANY))
		return gpc_kernel_fail(failure, errno, "cannot put the image into slot %u", slot);
	return 0;
}

int gpc_stage_clear(const struct gpc_instance *instance, uint32_t slot, struct gpc_failure *failure)
{
	char path[GPC_PIN_PATH];

	if (slot_path(instance, slot, path, failure))
		return -1;
	if (bpf_map_delete_elem(instance->map[GPC_MAP_IMAGES], &slot) && errno != ENOENT)
		return gpc_kernel_fail(failure, errno, "cannot empty image slot %u", slot);
	if (gpc_failpoint("clear.emptied"))
		return gpc_failpoint_fail(failure, "clear.emptied");
	if (unlink(path) && errno != ENOENT)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot remove '%s'", path);
	return 0;
}

int gpc_stage_retire(const struct gpc_instance *instance, struct gpc_failure *failure)
{
	uint64_t word = gpc_control_load(instance->control);
	bool waited = false;
	uint32_t slot;

	for (slot = 0; slot < GPC_IMAGE_SLOTS; slot++) {
		int r;

		if (gpc_control_names(word, slot) || !slot_map_id(instance, slot))
			continue;
		r = waited ? 0 : gpc_kernel_grace();
		if (r)
			return gpc_fail(failure, GPC_EXIT_HOST, -r,
					"membarrier does not work here");
		waited = true;
		if (gpc_stage_clear(instance, slot, failure))
			return -1;
	}
	return 0;
}
