/* SPDX-License-Identifier: MIT */
/*
 * session.h: the TCP sessions of this host whose loss would lock its operator out: the SSH session that
 * this process runs in, and all established sessions of root.
 *
 * The SSH session is that of SSH_CONNECTION; without it (sudo takes it away) the sockets of the nearest
 * sshd among the ancestors.
 */
#ifndef GPC_LOADER_LINK_SESSION_H
#define GPC_LOADER_LINK_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../compiler/base/ip.h"
#include "../fail.h"
#include "netlink.h"

struct gpc_tcp_session {
	struct gpc_ip local, remote;
	uint16_t local_port, remote_port;
	uint32_t ifindex;	/* of the route to the remote side; 0: none */
	bool ssh;		/* this process runs in it */
	bool inbound;		/* the local port is listened on: the remote side opened it */
};

struct gpc_tcp_sessions {
	struct gpc_tcp_session *items;
	size_t count;
	bool ssh_found;
};

/* Sessions over loopback are left out. */
int gpc_tcp_sessions_read(struct gpc_netlink *netlink, struct gpc_tcp_sessions *ret,
			  struct gpc_failure *failure);
void gpc_tcp_sessions_release(struct gpc_tcp_sessions *sessions);

#endif
