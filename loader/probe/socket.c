/* SPDX-License-Identifier: MIT */
/* tcp and udp, and the way to a connected socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../../compiler/base/cleanup.h"
#include "ask.h"

#define NETNS_FOLDER "/run/netns/"
#define MOST_DATAGRAM 65536u

bool gpc_ask_enter(struct gpc_ask *ask, int *ret_back)
{
	GPC_AUTO_CLOSE int back = -1, there = -1;
	char path[sizeof(NETNS_FOLDER) + 64];

	*ret_back = -1;
	if (!ask->probe->netns)
		return true;
	snprintf(path, sizeof(path), NETNS_FOLDER "%s", ask->probe->netns);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (there < 0)
		return gpc_ask_fail(ask, errno, "network namespace '%s'", ask->probe->netns);
	back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (back < 0 || setns(there, CLONE_NEWNET))
		return gpc_ask_fail(ask, errno, "cannot enter network namespace '%s'",
				    ask->probe->netns);
	*ret_back = GPC_TAKE_FD(back);
	return true;
}

/* Sockets stay in the namespace that they were made in. Whoever cannot come back must not go on. */
static int socket_there(struct gpc_ask *ask, int family, int type)
{
	GPC_AUTO_CLOSE int back = -1;
	int fd;

	if (!gpc_ask_enter(ask, &back))
		return -1;
	fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		gpc_ask_fail(ask, errno, "no socket");
	if (back >= 0 && setns(back, CLONE_NEWNET))
		abort();
	return fd;
}

static socklen_t peer_of(const struct gpc_probe *probe, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *four = (struct sockaddr_in *)ret;

	*ret = (struct sockaddr_storage){0};
	if (gpc_ip_is_v4(&probe->address)) {
		four->sin_family = AF_INET;
		four->sin_port = htons(probe->port);
		four->sin_addr.s_addr = gpc_ip_v4_be(&probe->address);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(probe->port);
	memcpy(&six->sin6_addr, probe->address.bytes, sizeof(six->sin6_addr));
	return sizeof(*six);
}

static bool await_connection(struct gpc_ask *ask, int fd)
{
	socklen_t size = sizeof(int);
	int error = 0;

	if (!gpc_ask_wait(ask, fd, POLLOUT, "no connection"))
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size))
		error = errno;
	return !error || gpc_ask_fail(ask, error, "cannot connect");
}

int gpc_ask_connect(struct gpc_ask *ask, int type)
{
	const char *interface = ask->probe->interface;
	struct sockaddr_storage peer;
	socklen_t size = peer_of(ask->probe, &peer);
	GPC_AUTO_CLOSE int fd = socket_there(ask, peer.ss_family, type);

	if (fd < 0)
		return -1;
	if (interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
				    (socklen_t)strlen(interface) + 1)) {
		gpc_ask_fail(ask, errno, "cannot send by interface '%s'", interface);
		return -1;
	}
	if (connect(fd, (const struct sockaddr *)&peer, size)) {
		if (errno != EINPROGRESS) {
			gpc_ask_fail(ask, errno, "cannot connect");
			return -1;
		}
		if (!await_connection(ask, fd))
			return -1;
	}
	return GPC_TAKE_FD(fd);
}

bool gpc_ask_tcp(struct gpc_ask *ask)
{
	GPC_AUTO_CLOSE int fd = gpc_ask_connect(ask, SOCK_STREAM);

	return fd >= 0;
}

/* Is this the answer? */
static bool holds(const struct gpc_probe *probe, const uint8_t *bytes, size_t size)
{
	return !probe->expect || memmem(bytes, size, probe->expect, probe->expect_size);
}

/* Others than the expected one are passed over: it may still come. */
static bool await_answer(struct gpc_ask *ask, int fd)
{
	GPC_AUTO_FREE uint8_t *bytes = malloc(MOST_DATAGRAM);
	bool other = false;

	if (!bytes)
		abort();
	for (;;) {
		ssize_t size;

		if (!gpc_ask_wait(ask, fd, POLLIN,
				  other ? "only other answers than the expected one" : "no answer"))
			return false;
		size = recv(fd, bytes, MOST_DATAGRAM, 0);
		if (size < 0 && errno != EAGAIN && errno != EINTR)
			return gpc_ask_fail(ask, errno, "no answer");
		if (size >= 0 && holds(ask->probe, bytes, (size_t)size))
			return true;
		other = other || size >= 0;
	}
}

bool gpc_ask_udp(struct gpc_ask *ask)
{
	GPC_AUTO_CLOSE int fd = gpc_ask_connect(ask, SOCK_DGRAM);

	if (fd < 0)
		return false;
	if (send(fd, ask->probe->send, ask->probe->send_size, MSG_NOSIGNAL) < 0)
		return gpc_ask_fail(ask, errno, "cannot send");
	return await_answer(ask, fd);
}
