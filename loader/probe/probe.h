/* SPDX-License-Identifier: MIT */
/*
 * probe.h: checks of the live plane that `gpc apply` makes after its switch: those of the image, which
 * came with the intent (`probes`), and those that the operator gives with --probe. What they ask is
 * data here; run.h asks it.
 */
#ifndef GPC_LOADER_PROBE_PROBE_H
#define GPC_LOADER_PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../compiler/image/image_file.h"
#include "../../compiler/intent/intent.h"
#include "../fail.h"

struct gpc_probe {
	char *name;
	bool given;			/* by --probe, not by the image */
	enum gpc_probe_kind kind;
	uint32_t timeout, attempts, interval;	/* times in milliseconds */
	char *netns, *interface;	/* NULL: gpc's own; by route */
	struct gpc_ip address;		/* all but exec */
	uint16_t port;
	char *path, *host;		/* http; host NULL: the address */
	uint16_t status_first, status_last;
	uint8_t *send, *expect;		/* udp; expect NULL: any answer */
	size_t send_size, expect_size;
	char **command;			/* exec: the program and its arguments, ended by NULL */
};

struct gpc_probes {
	struct gpc_probe *items;
	size_t count;
};

/* A new one behind the others, with the defaults of the language. Aborts without memory. */
struct gpc_probe *gpc_probes_add(struct gpc_probes *probes);
void gpc_probes_release(struct gpc_probes *probes);

/*
 * Adds the one that `text` of --probe asks for. Words are separated by blanks; '...' and "..." hold
 * blanks and everything else but themselves. USAGE with the cause when it is none.
 *
 *   [KEY=VALUE]... tcp ADDRESS:PORT
 *   [KEY=VALUE]... http URL [STATUS]
 *   [KEY=VALUE]... udp ADDRESS:PORT SEND [EXPECT]
 *   [KEY=VALUE]... exec PROGRAM [ARGUMENT]...
 *
 * KEY is name, timeout, attempts, interval, netns, interface or host; an IPv6 address stands in
 * brackets; a program is a path with a `/`. Without a name the text from KIND on is it.
 */
int gpc_probe_parse(struct gpc_probes *probes, const char *text, struct gpc_failure *failure);

/* Adds those that stand in an image. INVALID when they are not of the form of schemas/image.v1.md. */
int gpc_probes_of_image(struct gpc_probes *probes, const struct gpc_image *image,
			struct gpc_failure *failure);

/* What is asked in one line, "http 203.0.113.10:80/healthz 200-399"; malloc'ed. */
char *gpc_probe_text(const struct gpc_probe *probe);

#endif
