/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "hop.h"

#define STATE_ESTABLISHED 0x01u
#define STATE_LISTEN 0x0au
#define MAX_ANCESTORS 64
#define MAX_SSHD_SOCKETS 64u

/* A row of /proc/net/tcp or tcp6. */
struct row {
	struct gpc_ip local, remote;
	unsigned int local_port, remote_port, state, uid;
	uint64_t inode;
};

struct reading {
	struct gpc_tcp_sessions *sessions;
	uint8_t listening[65536 / 8];
	uint64_t sshd[MAX_SSHD_SOCKETS]; /* inodes of the sshd's sockets */
	size_t sshd_count;
	struct gpc_tcp_session named; /* by SSH_CONNECTION */
	bool has_name;
};

/* ---- rows ---- */

/* Hexadecimal words as the kernel prints them: each 32 bits in the order of this machine. */
static bool parse_address(const char *text, size_t words, struct gpc_ip *ret)
{
	uint32_t value[4];

	for (size_t i = 0; i < words; i++)
		if (sscanf(text + 8 * i, "%8" SCNx32, &value[i]) != 1)
			return false;
	if (words == 1) {
		*ret = (struct gpc_ip){{[10] = 0xff, [11] = 0xff}};
		memcpy(ret->bytes + 12, value, 4);
	} else {
		memcpy(ret->bytes, value, 16);
	}
	return true;
}

static bool parse_row(const char *line, struct row *ret)
{
	char local[33], remote[33];
	size_t words;

	if (sscanf(line,
		   " %*u: %32[0-9A-Fa-f]:%x %32[0-9A-Fa-f]:%x %x %*x:%*x %*x:%*x %*x %u %*d %" SCNu64,
		   local, &ret->local_port, remote, &ret->remote_port, &ret->state, &ret->uid,
		   &ret->inode) != 7)
		return false;
	words = strlen(local) / 8;
	return (words == 1 || words == 4) && strlen(remote) == 8 * words &&
	       parse_address(local, words, &ret->local) &&
	       parse_address(remote, words, &ret->remote);
}

static int each_row(struct reading *reading, const char *path,
		    void (*see)(struct reading *reading, const struct row *row),
		    struct gpc_failure *failure)
{
	GPC_AUTO_FCLOSE FILE *in = fopen(path, "re");
	GPC_AUTO_FREE char *line = NULL;
	size_t size = 0;
	struct row row;

	if (!in && errno == ENOENT)
		return 0; /* a kernel without IPv6 */
	if (!in)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot read '%s'", path);
	while (getline(&line, &size, in) >= 0)
		if (parse_row(line, &row))
			see(reading, &row);
	if (ferror(in))
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot read '%s'", path);
	return 0;
}

static int each_socket(struct reading *reading,
		       void (*see)(struct reading *reading, const struct row *row),
		       struct gpc_failure *failure)
{
	if (each_row(reading, "/proc/self/net/tcp", see, failure))
		return -1;
	return each_row(reading, "/proc/self/net/tcp6", see, failure);
}

/* ---- the session that this process runs in ---- */

/* An address; that of a link names its device: fe80::1%eth0. */
static bool read_side(char *text, struct gpc_ip *ret, uint32_t *ret_ifindex)
{
	char *zone = strchr(text, '%');

	if (zone) {
		*zone = '\0';
		*ret_ifindex = if_nametoindex(zone + 1);
	}
	return gpc_ip_parse(text, strlen(text), ret) == GPC_IP_OK;
}

/* "CLIENT PORT SERVER PORT"; false if it says nothing usable. */
static bool read_variable(const char *text, struct gpc_tcp_session *ret)
{
	unsigned int client_port, server_port;
	char client[64], server[64];
	struct gpc_tcp_session session = {.ssh = true, .inbound = true};

	if (!text || sscanf(text, "%63s %u %63s %u", client, &client_port, server, &server_port) != 4)
		return false;
	if (!read_side(client, &session.remote, &session.ifindex) ||
	    !read_side(server, &session.local, &session.ifindex) || client_port > UINT16_MAX ||
	    server_port > UINT16_MAX)
		return false;
	session.remote_port = (uint16_t)client_port;
	session.local_port = (uint16_t)server_port;
	*ret = session;
	return true;
}

/* Name and parent of a process; false if it is gone. */
static bool read_process(pid_t pid, char name[32], pid_t *ret_parent)
{
	GPC_AUTO_FCLOSE FILE *in = NULL;
	GPC_AUTO_FREE char *line = NULL;
	char path[64], *open, *close;
	size_t size = 0;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	in = fopen(path, "re");
	if (!in || getline(&line, &size, in) < 0)
		return false;
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close || close < open || sscanf(close + 1, " %*c %d", &parent) != 1)
		return false;
	snprintf(name, 32, "%.*s", (int)(close - open - 1), open + 1);
	*ret_parent = parent;
	return true;
}

/* sshd, sshd-session */
static pid_t nearest_sshd(void)
{
	pid_t pid = getppid(), parent;
	char name[32];

	for (int i = 0; i < MAX_ANCESTORS && pid > 1; i++, pid = parent) {
		if (!read_process(pid, name, &parent))
			return 0;
		if (!strncmp(name, "sshd", 4))
			return pid;
	}
	return 0;
}

/* Inodes of a process's sockets. Nothing to see is nothing found: the caller says so. */
static void read_sockets(struct reading *reading, pid_t pid)
{
	char path[64], link[64];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)) && reading->sshd_count < MAX_SSHD_SOCKETS) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		if (sscanf(link, "socket:[%" SCNu64 "]", &reading->sshd[reading->sshd_count]) == 1)
			reading->sshd_count++;
	}
	closedir(dir);
}

/* ---- collecting ---- */

static bool is_loopback(const struct gpc_ip *ip)
{
	static const struct gpc_ip six = {{[15] = 1}};

	return gpc_ip_is_v4(ip) ? ip->bytes[12] == 127 : !gpc_ip_compare(ip, &six);
}

static void see_listener(struct reading *reading, const struct row *row)
{
	if (row->state == STATE_LISTEN)
		reading->listening[row->local_port / 8 & 8191] |= 1u << row->local_port % 8;
}

static bool is_named(const struct reading *reading, const struct row *row)
{
	const struct gpc_tcp_session *named = &reading->named;

	return reading->has_name && !gpc_ip_compare(&row->local, &named->local) &&
	       !gpc_ip_compare(&row->remote, &named->remote) &&
	       row->local_port == named->local_port && row->remote_port == named->remote_port;
}

static bool is_of_sshd(const struct reading *reading, const struct row *row)
{
	for (size_t i = 0; i < reading->sshd_count; i++)
		if (reading->sshd[i] == row->inode)
			return true;
	return false;
}

static void add(struct gpc_tcp_sessions *sessions, const struct gpc_tcp_session *session)
{
	struct gpc_tcp_session *items =
		reallocarray(sessions->items, sessions->count + 1, sizeof(*items));

	if (!items)
		abort();
	items[sessions->count++] = *session;
	sessions->items = items;
	sessions->ssh_found |= session->ssh;
}

static void see_session(struct reading *reading, const struct row *row)
{
	bool ssh = is_named(reading, row) || is_of_sshd(reading, row);
	struct gpc_tcp_session session = {
		.local = row->local,
		.remote = row->remote,
		.local_port = (uint16_t)row->local_port,
		.remote_port = (uint16_t)row->remote_port,
		.ssh = ssh,
		.inbound = reading->listening[row->local_port / 8 & 8191] >> row->local_port % 8 & 1,
	};

	if (row->state != STATE_ESTABLISHED || is_loopback(&row->remote) || (!ssh && row->uid))
		return;
	if (is_named(reading, row)) {
		reading->has_name = false; /* it is in the list now */
		session.ifindex = reading->named.ifindex;
	}
	add(reading->sessions, &session);
}

/* If it is not known: the device by which packets to the remote side leave, taken for the one by which they come. */
static int find_devices(struct gpc_netlink *netlink, struct gpc_tcp_sessions *sessions,
			struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_hop *hops = calloc(sessions->count + 1, sizeof(*hops));

	if (!hops)
		abort();
	for (size_t i = 0; i < sessions->count; i++)
		hops[i].target = sessions->items[i].remote;
	if (gpc_hops_resolve(netlink, hops, sessions->count, 0, failure))
		return -1;
	for (size_t i = 0; i < sessions->count; i++)
		if (!sessions->items[i].ifindex)
			sessions->items[i].ifindex = hops[i].ifindex;
	return 0;
}

int gpc_tcp_sessions_read(struct gpc_netlink *netlink, struct gpc_tcp_sessions *ret,
			  struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_tcp_sessions_release) struct gpc_tcp_sessions sessions = {0};
	struct reading reading = {.sessions = &sessions};

	reading.has_name = read_variable(getenv("SSH_CONNECTION"), &reading.named);
	if (!reading.has_name)
		read_sockets(&reading, nearest_sshd());
	if (each_socket(&reading, see_listener, failure) ||
	    each_socket(&reading, see_session, failure))
		return -1;
	if (reading.has_name && !is_loopback(&reading.named.remote))
		add(&sessions, &reading.named); /* of another network namespace, or just closing */
	if (find_devices(netlink, &sessions, failure))
		return -1;
	*ret = sessions;
	sessions = (struct gpc_tcp_sessions){0};
	return 0;
}

void gpc_tcp_sessions_release(struct gpc_tcp_sessions *sessions)
{
	free(sessions->items);
	*sessions = (struct gpc_tcp_sessions){0};
}
