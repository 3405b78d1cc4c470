// SPDX-License-Identifier: MIT
/* user.c: the programs of walk.c on the maps of map.c. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "context.h"
#include "engine.h"
#include "map.h"

#define BUFFER ((size_t)1 << GPC_IMAGE_MAX_LOG2)	/* what walk.c's mask takes for granted */
#define SLOT 0u
#define FLOWS_SINCE 1ull

struct user {
	struct gpc_sim_memory *memory;
	char *bytes;	/* the image, BUFFER */
	uint64_t now;
};

/* Its maps are those in use from here on. */
static struct user *user_of(struct gpc_sim *sim)
{
	struct user *user = sim->state;

	gpc_sim_memory_use(user->memory);
	return user;
}

static void control(uint32_t index, uint64_t value)
{
	((uint64_t *)gpc_sim_map_values(GPC_SIM_CTL))[index] = value;
}

static void make_maps(const struct gpc_sim_need *need)
{
	uint8_t mac[2][6];

	gpc_sim_map_make(GPC_SIM_COUNTERS, need->counters);
	gpc_sim_map_make(GPC_SIM_NEXT, need->next);
	gpc_sim_map_make(GPC_SIM_RULES, need->rules);
	gpc_sim_map_make(GPC_SIM_RATE, need->rate);
	gpc_sim_map_make(GPC_SIM_ENDPOINTS, need->counters);
	gpc_sim_map_make(GPC_SIM_BACKENDS, need->counters);
	gpc_sim_mac(GPC_SIM_NEIGHBOUR, mac[0]);
	gpc_sim_mac(GPC_SIM_OUT, mac[1]);
	gpc_sim_fib_set(mac[0], mac[1], GPC_SIM_OUT, GPC_SIM_MTU);
	*(struct gpc_next *)gpc_sim_map_values(GPC_SIM_NEXT) = gpc_sim_hop();
	control(GPC_CTL_NONCE, GPC_SIM_NONCE);
	control(GPC_CTL_FLOWS_SINCE, FLOWS_SINCE);
}

static int user_open(struct gpc_sim *sim, struct gpc_failure *failure)
{
	struct user *user = calloc(1, sizeof(*user));
	struct gpc_sim_need need;
	char *bytes = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!user)
		abort();
	if (bytes == MAP_FAILED) {
		free(user);
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "no memory for the image");
	}
	*user = (struct user){.memory = gpc_sim_memory_new(), .bytes = bytes};
	sim->state = user;
	memcpy(bytes, sim->image->bytes, sim->image->size);
	if (gpc_sim_link(sim->image, sim->devices, sim->device_count, bytes, &need))
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "the tests name too many devices");
	make_maps(&need);
	gpc_sim_map_image(SLOT, bytes);
	return 0;
}

static void user_close(struct gpc_sim *sim)
{
	struct user *user = sim->state;

	if (!user)
		return;
	gpc_sim_memory_free(user->memory);
	munmap(user->bytes, BUFFER);
	free(user);
}

static int user_reset(struct gpc_sim *sim, struct gpc_failure *failure)
{
	static const enum gpc_sim_map_id emptied[] = {GPC_SIM_HEADS4, GPC_SIM_HEADS6, GPC_SIM_RATE,
						      GPC_SIM_BUDGET, GPC_SIM_LIMITS,
						      GPC_SIM_EVENTS, GPC_SIM_FRAGMENTS,
						      GPC_SIM_NAT_FRAGMENTS,
						      GPC_SIM_NAT_SIDES,
						      GPC_SIM_CLIENTS, GPC_SIM_PROOFS,
						      GPC_SIM_BUSY};

	struct user *user = user_of(sim);

	(void)failure;
	for (size_t i = 0; i < sizeof(emptied) / sizeof(*emptied); i++)
		gpc_sim_map_clear(emptied[i]);
	user->now = GPC_SIM_BEGIN;
	return 0;
}

static int user_pass(struct gpc_sim *sim, struct gpc_sim_pass *pass, struct gpc_failure *failure)
{
	bool xdp = pass->program == GPC_SIM_XDP || pass->program == GPC_SIM_DECAP;
	struct user *user = user_of(sim);
	struct gpc_sim_context ctx;

	(void)failure;
	gpc_sim_memory_settle();
	gpc_sim_clock_set(user->now);
	gpc_sim_context_set(&ctx, pass->in, pass->in_size, sim->devices[pass->device].ifindex,
			    xdp ? XDP_REDIRECT : TC_ACT_REDIRECT);
	gpc_sim_context_meta(&ctx, pass->meta, pass->meta_size);
	pass->action = gpc_sim_run(pass->program, &ctx);
	pass->mark = ctx.mark;
	pass->out = (const uint8_t *)(uintptr_t)ctx.data;
	pass->out_size = ctx.data_end - ctx.data;
	pass->meta_size = ctx.data - ctx.data_meta;
	if (pass->meta_size > sizeof(pass->meta))
		abort();
	memcpy(pass->meta, (const void *)(uintptr_t)ctx.data_meta, pass->meta_size);
	return 0;
}

static int user_counter(struct gpc_sim *sim, uint32_t slot, struct gpc_counter *ret,
			struct gpc_failure *failure)
{
	user_of(sim);
	(void)failure;
	*ret = ((struct gpc_counter *)gpc_sim_map_values(GPC_SIM_COUNTERS))[slot];
	return 0;
}

static int user_rule(struct gpc_sim *sim, uint32_t slot, struct gpc_rule_counter *ret,
		     struct gpc_failure *failure)
{
	user_of(sim);
	(void)failure;
	*ret = ((struct gpc_rule_counter *)gpc_sim_map_values(GPC_SIM_RULES))[slot];
	return 0;
}

static int user_put(struct gpc_sim *sim, enum gpc_sim_map_id map, uint32_t slot, const void *state,
		    struct gpc_failure *failure)
{
	size_t size = gpc_sim_maps[map].value;

	user_of(sim);
	(void)failure;
	memcpy((char *)gpc_sim_map_values(map) + slot * size, state, size);
	return 0;
}

static const struct gpc_sim_slot *user_touched(struct gpc_sim *sim, size_t *ret_count)
{
	user_of(sim);
	return gpc_sim_memory_touched(ret_count);
}

const struct gpc_sim_engine gpc_sim_user = {
	.open = user_open,
	.close = user_close,
	.reset = user_reset,
	.pass = user_pass,
	.counter = user_counter,
	.rule = user_rule,
	.touched = user_touched,
	.put = user_put,
};

void gpc_sim_advance(struct gpc_sim *sim, uint64_t ns)
{
	user_of(sim)->now += ns;
}

const struct gpc_event *gpc_sim_events(struct gpc_sim *sim, size_t *ret_count)
{
	user_of(sim);
	return gpc_sim_map_events(ret_count);
}
