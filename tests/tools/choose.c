/* SPDX-License-Identifier: MIT */
/*
 * choose: who gets which packet of an image, by the programs in user space or in the kernel. For oracles in other
 * languages.
 *
 *   choose [--kernel] IMAGE < COMMANDS
 *     forget                                        flows and clients
 *     ready                                         no override, everybody up
 *     drain|maint BACKEND[/ENDPOINT] [SECONDS]      an override, for so long
 *     weight BACKEND/ENDPOINT N [SECONDS]
 *     down BACKEND/ENDPOINT                         observed
 *     wait SECONDS                                  not with --kernel
 *     packet PROTO FROM SPORT TO DPORT syn|ack [HEX]    a line out: LISTENER BACKEND/ENDPOINT;
 *                                                   `nobody` of a listener's; `-`: not balanced
 */
#include <stdlib.h>
#include <string.h>

#include "../../loader/file.h"
#include "../../loader/override/words.h"
#include "../../loader/sim/engine.h"
#include "../../loader/sim/frame.h"

#define MAX_FIELDS 8u
#define SECOND 1000000000ull

struct chooser {
	struct gpc_image image;
	struct gpc_sim *sim;
	struct gpc_overrides overrides;
	bool *down;
	bool kernel;
	uint64_t waited;	/* seconds */
};

static _Noreturn void give_up(const char *what, const char *detail)
{
	fprintf(stderr, "choose: %s: %s\n", what, detail);
	exit(2);
}

static void open_image(const char *path, struct chooser *c)
{
	static const char *const devices[] = {"wan0"};
	struct gpc_arena arena = {0};
	struct gpc_failure failure;
	struct gpc_diags diags;
	size_t size;
	char *bytes;

	gpc_diags_init(&diags, &arena, false);
	if (gpc_file_load(path, GPC_MAX_IMAGE_BYTES, &bytes, &size, &failure))
		give_up(path, failure.message);
	if (!gpc_image_open(&diags, path, bytes, size, false, &c->image))
		give_up(path, diags.records.items[0].message);
	if (gpc_sim_open(c->kernel ? GPC_SIM_KERNEL : GPC_SIM_USER, &c->image, devices, 1, &c->sim,
			 &failure))
		give_up(path, failure.message);
	free(bytes);
	c->down = calloc(c->image.plane->section[GPC_SEC_ENDPOINT].count + 1u, sizeof(*c->down));
	if (!c->down)
		abort();
}

static struct gpc_moment moment_of(const struct chooser *c)
{
	return (struct gpc_moment){.utc_ms = 1 + (int64_t)c->waited * 1000,
				   .ktime_ns = GPC_SIM_BEGIN + c->waited * SECOND};
}

/* Puts what is set into the programs' maps. */
static void set_words(struct chooser *c)
{
	struct gpc_failure failure;
	struct gpc_words words;

	if (gpc_words_make(&c->image, &c->overrides, moment_of(c), c->down, &words))
		abort();
	for (uint32_t i = 0; i < words.endpoint_count; i++)
		if (c->sim->engine->put(c->sim, GPC_SIM_ENDPOINTS,
					gpc_sim_endpoint_counter(&c->image, i), &words.endpoints[i],
					&failure))
			give_up("endpoint", failure.message);
	for (uint32_t i = 0; i < words.backend_count; i++)
		if (c->sim->engine->put(c->sim, GPC_SIM_BACKENDS,
					gpc_sim_backend_counter(&c->image, i), &words.backends[i],
					&failure))
			give_up("backend", failure.message);
	gpc_words_release(&words);
}

static void set_object(struct gpc_override *override, const char *object)
{
	const char *slash = strchr(object, '/');

	snprintf(override->backend, sizeof(override->backend), "%.*s",
		 (int)(slash ? slash - object : (long)strlen(object)), object);
	snprintf(override->endpoint, sizeof(override->endpoint), "%s", slash ? slash + 1 : "");
}

static void operate(struct chooser *c, char **fields, size_t count)
{
	struct gpc_override override = {.since = moment_of(c).utc_ms, .actor = "choose"};
	uint32_t backend, endpoint;
	size_t seconds = 2;	/* which field says for how long */

	if (!strcmp(fields[0], "ready")) {
		gpc_overrides_release(&c->overrides);
		c->overrides = (struct gpc_overrides){0};
		memset(c->down, 0, c->image.plane->section[GPC_SEC_ENDPOINT].count * sizeof(*c->down));
		return;
	}
	if (count < 2)
		give_up("no object", fields[0]);
	set_object(&override, fields[1]);
	if (!gpc_override_find(&override, &c->image, &backend, &endpoint))
		give_up("no such object", fields[1]);
	if (!strcmp(fields[0], "down")) {
		c->down[endpoint] = true;
		return;
	}
	if (!gpc_override_kind_parse(fields[0], &override.kind))
		give_up("no command", fields[0]);
	if (override.kind == GPC_OVERRIDE_WEIGHT) {
		override.weight = count > 2 ? (uint32_t)strtoul(fields[2], NULL, 10) : 0;
		seconds++;
	}
	if (count > seconds && strcmp(fields[seconds], "0") != 0)
		override.until = override.since + 1000 * strtol(fields[seconds], NULL, 10);
	gpc_overrides_add(&c->overrides, &override);
}

static struct gpc_uint_value number(uint64_t value)
{
	return (struct gpc_uint_value){.value = value, .set = true};
}

static struct gpc_prefix_value address(const char *text)
{
	struct gpc_prefix_value value = {0};

	if (gpc_prefix_parse(text, strlen(text), &value.prefix))
		give_up("no address", text);
	return value;
}

/* The payload's bytes; checksums are left as they are, nobody on the way in looks at them. */
static void write_payload(const char *hex, size_t length, uint8_t *end)
{
	for (size_t i = 0; i < length; i++) {
		char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		end[i - length] = (uint8_t)strtoul(byte, NULL, 16);
	}
}

static void say(const struct gpc_image *image, const struct gpc_sim_outcome *outcome)
{
	uint32_t count;
	const struct gpc_listener *listeners = gpc_image_section(image, GPC_SEC_LISTENER, &count);
	const struct gpc_endpoint *endpoints = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);
	const struct gpc_backend *backends = gpc_image_section(image, GPC_SEC_BACKEND, &count);

	if (outcome->endpoint == GPC_NONE)
		puts(outcome->reason == GPC_REASON_NO_ENDPOINT ? "nobody" : "-");
	else
		printf("%s %s/%s\n", gpc_image_name(image, listeners[outcome->listener].name),
		       gpc_image_name(image, backends[endpoints[outcome->endpoint].backend].name),
		       gpc_image_name(image, endpoints[outcome->endpoint].name));
}

static void send_packet(struct chooser *c, char **fields, size_t count)
{
	static uint8_t frame[GPC_FRAME_MAX];
	size_t payload = count > 7 ? strlen(fields[7]) / 2 : 0;
	struct gpc_send_intent intent = {.in = {.text = "wan0"}};
	struct gpc_sim_outcome outcome;
	struct gpc_failure failure;
	struct gpc_sim_send send = {.frame = frame, .direction = GPC_INGRESS, .repeat = 1};

	if (count < 7)
		give_up("no whole packet", fields[0]);
	intent.protocol = number(strtoul(fields[1], NULL, 10));
	intent.from = address(fields[2]);
	intent.sport = number(strtoul(fields[3], NULL, 10));
	intent.to = address(fields[4]);
	intent.dport = number(strtoul(fields[5], NULL, 10));
	intent.tcp_flags = number(strcmp(fields[6], "syn") ? GPC_ASK_ACK : GPC_ASK_SYN);
	intent.payload = number(payload);
	send.size = gpc_frame_build(&intent, frame);
	if (count > 7)
		write_payload(fields[7], payload, frame + send.size);
	if (gpc_sim_send(c->sim, &send, &outcome, &failure))
		give_up("cannot send", failure.message);
	say(&c->image, &outcome);
}

static void pass_time(struct chooser *c, uint64_t seconds)
{
	if (c->kernel)
		give_up("no time passes", "in the kernel");
	c->waited += seconds;
	gpc_sim_advance(c->sim, seconds * SECOND);
}

static void forget(struct chooser *c)
{
	struct gpc_failure failure;

	if (gpc_sim_reset(c->sim, &failure))
		give_up("cannot forget", failure.message);
	if (!c->kernel)
		gpc_sim_advance(c->sim, c->waited * SECOND);	/* it begins anew */
}

static void obey(struct chooser *c, char **fields, size_t count)
{
	if (!strcmp(fields[0], "packet")) {
		send_packet(c, fields, count);
	} else if (!strcmp(fields[0], "forget")) {
		forget(c);
	} else if (!strcmp(fields[0], "wait") && count == 2) {
		pass_time(c, strtoull(fields[1], NULL, 10));
	} else {
		operate(c, fields, count);
		set_words(c);
	}
}

int main(int argc, char **argv)
{
	struct chooser c = {0};
	char *line = NULL;
	size_t room = 0;

	c.kernel = argc == 3 && !strcmp(argv[1], "--kernel");
	if (argc != 2 + c.kernel)
		give_up("usage", "choose [--kernel] IMAGE");
	open_image(argv[1 + c.kernel], &c);
	while (getline(&line, &room, stdin) > 0) {
		char *fields[MAX_FIELDS] = {NULL}, *at = line, *field;
		size_t count = 0;

		while (count < MAX_FIELDS && (field = strsep(&at, " \n")))
			if (*field)
				fields[count++] = field;
		if (count)
			obey(&c, fields, count);
	}
	gpc_sim_close(c.sim);
	gpc_image_release(&c.image);
	gpc_overrides_release(&c.overrides);
	free(c.down);
	free(line);
	return 0;
}
