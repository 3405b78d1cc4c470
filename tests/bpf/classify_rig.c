// SPDX-License-Identifier: MIT
#include "classify_rig.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "classify_22.skel.h"
#include "classify_23.skel.h"
#include "classify_24.skel.h"
#include "classify_25.skel.h"
#include "classify_26.skel.h"
#include "classify_job.h"
#include "kernel.h"

_Static_assert(CLASSIFY_RIG_QUESTIONS == CLASSIFY_QUESTIONS, "questions");

/* ---- user space ---- */

void classify_image_make(const struct gpc_classified *classified, size_t classifier_count,
			 struct classify_image *ret)
{
	size_t words = classified->word_count * sizeof(uint32_t);
	size_t offset = (GPC_WORDS_OFFSET + words + 127) / 128 * 128;
	size_t size = offset + classifier_count * sizeof(struct gpc_classifier);
	struct classify_image image = {.log2 = GPC_IMAGE_MIN_LOG2,
				       .count = (uint32_t)classifier_count,
				       .classifier_offset = (uint32_t)offset};
	struct gpc_plane *plane;

	while (image.log2 <= GPC_IMAGE_MAX_LOG2 && size > 1ul << image.log2)
		image.log2++;
	if (image.log2 > GPC_IMAGE_MAX_LOG2)
		errx(1, "an image of %zu bytes", size);
	image.bytes = aligned_alloc(64, 1ul << image.log2);
	if (!image.bytes)
		err(1, "an image");
	memset(image.bytes, 0, 1ul << image.log2);
	plane = (struct gpc_plane *)(image.bytes + sizeof(struct gpc_image_head));
	plane->tries = classified->tries;
	memcpy(image.bytes + GPC_WORDS_OFFSET, classified->words, words);
	memcpy(image.bytes + offset, classified->classifiers,
	       classifier_count * sizeof(struct gpc_classifier));
	*ret = image;
}

void classify_image_free(struct classify_image *image)
{
	free(image->bytes);
	*image = (struct classify_image){0};
}

struct gpc_view classify_image_view(const struct classify_image *image)
{
	return (struct gpc_view){image->bytes, (1ull << image->log2) - 1};
}

const struct gpc_classifier *classify_image_at(const struct classify_image *image, uint32_t classifier)
{
	return (const struct gpc_classifier *)(image->bytes + image->classifier_offset) + classifier;
}

uint32_t classify_image_ask(const struct classify_image *image, uint32_t classifier,
			    const struct gpc_question *question)
{
	struct gpc_view view = classify_image_view(image);

	return gpc_classify(view, classify_image_at(image, classifier), question,
			    gpc_address_classes(view, question));
}

/* ---- kernel ---- */

static const void *object_bytes(uint32_t log2, size_t *size)
{
	switch (log2) {
	case 22:
		return classify_22__elf_bytes(size);
	case 23:
		return classify_23__elf_bytes(size);
	case 24:
		return classify_24__elf_bytes(size);
	case 25:
		return classify_25__elf_bytes(size);
	default:
		return classify_26__elf_bytes(size);
	}
}

static int program_fd(struct bpf_object *object, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(object, name));
}

void classify_rig_install(struct classify_rig *rig, const struct classify_image *image)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
	uint32_t zero = 0;
	int fd;

	if (image->log2 != rig->log2)
		errx(1, "an image of another size class");
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "image", 4, 1u << image->log2, 1, &options);
	if (fd < 0 || bpf_map_update_elem(fd, &zero, image->bytes, BPF_ANY) ||
	    bpf_map_update_elem(rig->images, &zero, &fd, BPF_ANY))
		err(1, "install an image");
	close(fd);
	rig->image = image;
}

static void *mapped(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		err(1, "map memory of the kernel");
	return at;
}

void classify_rig_start(struct classify_rig *rig, const struct classify_image *image)
{
	size_t size;
	const void *bytes = object_bytes(image->log2, &size);
	struct bpf_object *object = bpf_object__open_mem(bytes, size, NULL);

	if (!object || bpf_object__load(object))
		err(1, "load the classify object (root, CAP_BPF?)");
	*rig = (struct classify_rig){
		.object = object,
		.log2 = image->log2,
		.images = bpf_object__find_map_fd_by_name(object, "images"),
		.program = {[CLASSIFY_ALL] = program_fd(object, "classify_all"),
			    [CLASSIFY_ADDRESSES] = program_fd(object, "classify_addresses"),
			    [CLASSIFY_EMPTY] = program_fd(object, "classify_empty")},
		.questions = mapped(bpf_object__find_map_fd_by_name(object, "questions"),
				    CLASSIFY_QUESTIONS * sizeof(struct gpc_question)),
		.answers = mapped(bpf_object__find_map_fd_by_name(object, "answers"),
				  CLASSIFY_QUESTIONS * sizeof(uint32_t)),
		.job = mapped(bpf_object__find_map_fd_by_name(object, "job"), sizeof(*rig->job)),
	};
	classify_rig_install(rig, image);
}

void classify_rig_stop(struct classify_rig *rig)
{
	munmap(rig->questions, CLASSIFY_QUESTIONS * sizeof(struct gpc_question));
	munmap(rig->answers, CLASSIFY_QUESTIONS * sizeof(uint32_t));
	munmap(rig->job, sizeof(*rig->job));
	bpf_object__close(rig->object);
	*rig = (struct classify_rig){0};
}

static void set_job(struct classify_rig *rig, uint32_t classifier, const struct gpc_question *questions,
		    uint32_t count)
{
	memcpy(rig->questions, questions, count * sizeof(*questions));
	*rig->job = (struct classify_job){
		.classifier = rig->image->classifier_offset +
			      classifier * (uint32_t)sizeof(struct gpc_classifier),
		.count = count};
}

/* ns per question; `runs` questions are asked in turn. */
static double time_program(const struct classify_rig *rig, int program, uint32_t runs)
{
	uint8_t frame[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)runs);

	if (bpf_prog_test_run_opts(rig->program[program], &options) || options.retval != XDP_PASS)
		err(1, "run the classify program");
	return options.duration;
}

double classify_rig_run(struct classify_rig *rig, uint32_t classifier,
			const struct gpc_question *questions, uint32_t count, uint32_t repeat,
			uint32_t *ret)
{
	double best = 0;

	set_job(rig, classifier, questions, count);
	for (uint32_t i = 0; i < repeat; i++) {
		double ns = time_program(rig, CLASSIFY_ALL, count);

		best = i && best < ns ? best : ns;
	}
	if (ret)
		memcpy(ret, rig->answers, count * sizeof(*ret));
	return best;
}

struct classify_times classify_rig_times(struct classify_rig *rig, uint32_t classifier,
					 const struct gpc_question *questions, uint32_t count,
					 uint32_t repeat)
{
	double best[CLASSIFY_PROGRAMS] = {0};

	set_job(rig, classifier, questions, count);
	for (uint32_t i = 0; i < repeat; i++)
		for (int p = 0; p < CLASSIFY_PROGRAMS; p++) {
			double ns = time_program(rig, p, CLASSIFY_QUESTIONS);

			best[p] = i && best[p] < ns ? best[p] : ns;
		}
	return (struct classify_times){best[CLASSIFY_ALL], best[CLASSIFY_ADDRESSES],
				       best[CLASSIFY_EMPTY]};
}

struct classify_insns classify_rig_insns(const struct classify_rig *rig)
{
	return (struct classify_insns){kernel_verified_insns(rig->program[CLASSIFY_ALL]),
				       kernel_verified_insns(rig->program[CLASSIFY_ADDRESSES])};
}
