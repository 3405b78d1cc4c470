// SPDX-License-Identifier: MIT
#include "vip_rig.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpc/lookup/device.h"
#include "gpc/abi.h" /* what stands in the skeleton */
#include "vip_lookup.skel.h"

static void *map_memory(const struct bpf_map *map, size_t size)
{
	void *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		err(1, "map %s", bpf_map__name(map));
	return memory;
}

void vip_rig_start(struct vip_rig *rig)
{
	rig->object = vip_lookup__open_and_load();
	if (!rig->object)
		err(1, "load the VIP programs (root, CAP_BPF?)");
	rig->questions = map_memory(rig->object->maps.vip_questions,
				    VIP_QUESTIONS * sizeof(*rig->questions));
	rig->answers =
		map_memory(rig->object->maps.vip_answers, VIP_QUESTIONS * sizeof(*rig->answers));
	rig->job = map_memory(rig->object->maps.vip_job, sizeof(*rig->job));
}

void vip_rig_stop(struct vip_rig *rig)
{
	munmap(rig->questions, VIP_QUESTIONS * sizeof(*rig->questions));
	munmap(rig->answers, VIP_QUESTIONS * sizeof(*rig->answers));
	munmap(rig->job, sizeof(*rig->job));
	vip_lookup__destroy(rig->object);
}

void vip_rig_install(struct vip_rig *rig, const struct gpc_image *image)
{
	LIBBPF_OPTS(bpf_map_create_opts, options,
		    .map_flags = BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
	char *bytes = malloc(1ul << image->log2);
	uint32_t zero = 0;
	int map;

	if (!bytes || image->log2 != GPC_IMAGE_MIN_LOG2)
		errx(1, "an image of 2^%u bytes", image->log2);
	memcpy(bytes, image->bytes, 1ul << image->log2);
	((struct gpc_link_head *)(bytes + image->head->link_offset))->magic = GPC_LINK_MAGIC;
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "image", 4, 1u << image->log2, 1, &options);
	if (map < 0 || bpf_map_update_elem(map, &zero, bytes, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(rig->object->maps.gpc_images), &zero, &map, BPF_ANY))
		err(1, "install an image");
	close(map);
	free(bytes);
}

double vip_rig_run(struct vip_rig *rig, enum vip_program program, uint32_t count, uint32_t rounds)
{
	const struct bpf_program *programs[VIP_PROGRAMS] = {
		[VIP_ALL] = rig->object->progs.vip_all,
		[VIP_LISTENER] = rig->object->progs.vip_listener,
		[VIP_EMPTY] = rig->object->progs.vip_empty,
	};
	uint8_t frame[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)(count * rounds));

	*rig->job = (struct vip_job){.count = count};
	if (bpf_prog_test_run_opts(bpf_program__fd(programs[program]), &options))
		err(1, "run %s", bpf_program__name(programs[program]));
	return options.duration;
}
