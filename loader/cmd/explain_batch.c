/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "explain.h"

#define READ_BYTES (1u << 16)
#define LINE_BYTES 4096u /* no packet is longer */
#define WRITE_BYTES (1u << 16)

struct batch {
	const struct gpc_explain_call *explain;
	const char *path;
	uint64_t line;
	char out[WRITE_BYTES];
	size_t used;
	struct gpc_failure *failure;
};

static int flush(struct batch *batch)
{
	if (fwrite(batch->out, 1, batch->used, stdout) != batch->used || fflush(stdout))
		return gpc_fail(batch->failure, GPC_EXIT_FAILED, errno, "cannot write the answers");
	batch->used = 0;
	return 0;
}

static int answer(struct batch *batch, const char *line, size_t size)
{
	const struct gpc_explain_call *explain = batch->explain;
	struct gpc_explanation explanation;
	struct gpc_packet_fault fault;
	struct gpc_question packet;

	batch->line++;
	if (!gpc_packet_parse(line, size, &packet, &fault)) {
		if (flush(batch))
			return -1;
		gpc_fail(batch->failure, GPC_EXIT_INVALID, 0, "%s:%llu:%zu: %s", batch->path,
			 (unsigned long long)batch->line, fault.at + 1, fault.text);
		return gpc_fail_hint(batch->failure,
				     "a packet is 'tcp 10.0.1.5:40000 -> 10.0.9.3:5432'; gpc explain --help");
	}
	gpc_explain(explain->image, &explain->point, &packet, explain->audit, &explanation);
	if (batch->used + GPC_EXPLAIN_LINE > sizeof(batch->out) && flush(batch))
		return -1;
	batch->used += gpc_explain_line(explain->image, &explanation, batch->out + batch->used);
	return 0;
}

/* Answers the whole lines of a buffer; what is left of it is moved to its beginning. */
static int answer_lines(struct batch *batch, char *buffer, size_t *size)
{
	char *at = buffer, *end = buffer + *size, *newline;

	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		if (answer(batch, at, (size_t)(newline - at)))
			return -1;
		at = newline + 1;
	}
	*size = (size_t)(end - at);
	if (*size > LINE_BYTES)
		return gpc_fail(batch->failure, GPC_EXIT_INVALID, 0, "%s:%llu: line is too long",
				batch->path, (unsigned long long)batch->line + 1);
	memmove(buffer, at, *size);
	return 0;
}

static int answer_all(struct batch *batch, int fd)
{
	GPC_AUTO_FREE char *buffer = malloc(READ_BYTES + LINE_BYTES + 1);
	size_t size = 0;
	ssize_t n;

	if (!buffer)
		abort();
	while ((n = read(fd, buffer + size, READ_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return gpc_fail(batch->failure, GPC_EXIT_FAILED, errno, "cannot read '%s'",
					batch->path);
		size += (size_t)n;
		if (answer_lines(batch, buffer, &size))
			return -1;
		/* A program at the other end of a pipe may wait for these answers. */
		if (n < (ssize_t)READ_BYTES && flush(batch))
			return -1;
	}
	if (size && answer(batch, buffer, size))
		return -1;
	return flush(batch);
}

int gpc_explain_batch(const struct gpc_explain_call *explain, const char *path,
		      struct gpc_failure *failure)
{
	bool standard = !strcmp(path, "-");
	GPC_AUTO_FREE struct batch *batch = malloc(sizeof(*batch));
	GPC_AUTO_CLOSE int opened = -1;

	if (!batch)
		abort();
	*batch = (struct batch){
		.explain = explain, .path = standard ? "standard input" : path, .failure = failure};
	if (!standard) {
		opened = open(path, O_RDONLY | O_CLOEXEC);
		if (opened < 0)
			return gpc_fail(failure, errno == ENOENT ? GPC_EXIT_INVALID : GPC_EXIT_FAILED,
					errno, "cannot open '%s'", path);
	}
	return answer_all(batch, standard ? STDIN_FILENO : opened);
}
