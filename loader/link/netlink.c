/* SPDX-License-Identifier: MIT */
#include "netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <time.h>

#define RECEIVE_BYTES 32768
#define DUMP_TRIES 20u

int gpc_netlink_open(struct gpc_netlink *ret, struct gpc_failure *failure)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!socket)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot open a netlink socket");
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int error = errno;

		mnl_socket_close(socket);
		return gpc_fail(failure, GPC_EXIT_FAILED, error, "cannot bind a netlink socket");
	}
	*ret = (struct gpc_netlink){.socket = socket, .sequence = (uint32_t)time(NULL)};
	return 0;
}

void gpc_netlink_close(struct gpc_netlink *netlink)
{
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	netlink->socket = NULL;
}

/* 0 or errno; EINTR: what came is not consistent. */
static int dump_once(struct gpc_netlink *netlink, const struct gpc_netlink_dump *dump)
{
	char buffer[RECEIVE_BYTES] __attribute__((aligned(8)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	unsigned int port = mnl_socket_get_portid(netlink->socket);
	uint8_t *body;
	ssize_t got;
	int state;

	request->nlmsg_type = dump->type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = ++netlink->sequence;
	body = mnl_nlmsg_put_extra_header(request, dump->body_size);
	body[0] = dump->family;
	if (dump->type == RTM_GETLINK)
		mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) < 0)
		return errno;
	do {
		got = mnl_socket_recvfrom(netlink->socket, buffer, sizeof(buffer));
		if (got < 0)
			return errno;
		state = mnl_cb_run(buffer, (size_t)got, netlink->sequence, port, dump->each,
				   dump->context);
	} while (state > MNL_CB_STOP);
	return state < 0 ? errno : 0;
}

int gpc_netlink_dump(struct gpc_netlink *netlink, const struct gpc_netlink_dump *dump,
		     struct gpc_failure *failure)
{
	unsigned int try;
	int error = EINTR;

	for (try = 0; try < DUMP_TRIES && error == EINTR; try++) {
		if (try) {
			/* What is left of the old dump goes with the old socket. */
			gpc_netlink_close(netlink);
			if (gpc_netlink_open(netlink, failure))
				return -1;
			dump->reset(dump->context);
		}
		error = dump_once(netlink, dump);
	}
	if (error)
		return gpc_fail(failure, GPC_EXIT_FAILED, error, "cannot read a table by netlink");
	return 0;
}

struct batch_state {
	const struct gpc_netlink_batch *batch;
	uint32_t first_sequence;
	size_t first, count; /* requests under way */
	size_t answered;
};

static void take_answer(struct batch_state *state, const struct nlmsghdr *message)
{
	size_t at = message->nlmsg_seq - state->first_sequence;
	const struct nlmsgerr *error;

	if (at >= state->count)
		return;
	state->answered++;
	if (message->nlmsg_type != NLMSG_ERROR) {
		state->batch->answer(state->batch->context, state->first + at, message, 0);
		return;
	}
	error = mnl_nlmsg_get_payload(message);
	state->batch->answer(state->batch->context, state->first + at, NULL, -error->error);
}

static int send_part(struct gpc_netlink *netlink, struct batch_state *state)
{
	char buffer[GPC_NETLINK_BATCH * GPC_NETLINK_REQUEST_BYTES] __attribute__((aligned(8)));
	size_t used = 0, i;

	state->first_sequence = netlink->sequence + 1;
	for (i = 0; i < state->count; i++) {
		struct nlmsghdr *request;

		memset(buffer + used, 0, GPC_NETLINK_REQUEST_BYTES);
		request = mnl_nlmsg_put_header(buffer + used);
		request->nlmsg_seq = ++netlink->sequence;
		state->batch->build(state->batch->context, state->first + i, request);
		used += MNL_ALIGN(request->nlmsg_len);
	}
	return mnl_socket_sendto(netlink->socket, buffer, used) < 0 ? -1 : 0;
}

int gpc_netlink_batch(struct gpc_netlink *netlink, const struct gpc_netlink_batch *batch,
		      size_t count, struct gpc_failure *failure)
{
	char buffer[RECEIVE_BYTES] __attribute__((aligned(8)));
	struct batch_state state = {.batch = batch};

	for (; state.first < count; state.first += state.count) {
		state.count = count - state.first < GPC_NETLINK_BATCH ? count - state.first
								      : GPC_NETLINK_BATCH;
		state.answered = 0;
		if (send_part(netlink, &state) < 0)
			return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot ask netlink");
		while (state.answered < state.count) {
			ssize_t got = mnl_socket_recvfrom(netlink->socket, buffer, sizeof(buffer));
			int left = (int)got;
			const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;

			if (got < 0)
				return gpc_fail(failure, GPC_EXIT_FAILED, errno,
						"cannot read from netlink");
			for (; mnl_nlmsg_ok(message, left);
			     message = mnl_nlmsg_next(message, &left))
				take_answer(&state, message);
		}
	}
	return 0;
}
