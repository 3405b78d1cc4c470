/* SPDX-License-Identifier: MIT */
/*
 * A GET request of HTTP/1.1 and the status of its answer. No library: what is needed is one request and
 * one line, and libcurl would bring some thirty libraries into a program that runs as root.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../../compiler/base/cleanup.h"
#include "ask.h"

#define MOST_HEADERS 16384u /* bytes of interim answers and the status line behind them */

struct answer {
	char bytes[MOST_HEADERS];
	size_t size;
};

/* malloc'ed. */
static char *request_of(const struct gpc_probe *probe)
{
	bool v4 = gpc_ip_is_v4(&probe->address);
	char address[GPC_IP_TEXT], host[GPC_IP_TEXT + 16];
	char *text;

	snprintf(host, sizeof(host), "%s%s%s:%u", v4 ? "" : "[",
		 gpc_ip_format(&probe->address, address), v4 ? "" : "]", probe->port);
	if (probe->port == 80)
		*strrchr(host, ':') = '\0';
	if (asprintf(&text,
		     "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: gpc/" GPC_VERSION
		     "\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		     probe->path, probe->host ? probe->host : host) < 0)
		abort();
	return text;
}

static bool send_all(struct gpc_ask *ask, int fd, const char *text)
{
	while (*text) {
		ssize_t sent = send(fd, text, strlen(text), MSG_NOSIGNAL);

		if (sent >= 0)
			text += sent;
		else if (errno != EAGAIN && errno != EINTR)
			return gpc_ask_fail(ask, errno, "cannot send the request");
		else if (!gpc_ask_wait(ask, fd, POLLOUT, "request not taken"))
			return false;
	}
	return true;
}

/* The status at the beginning of `line`; 0 when it is no status line. */
static unsigned int status_of(const char *line, size_t size)
{
	static const char version[] = "HTTP/1.";
	const char *digits = line + sizeof(version) + 1;
	unsigned int status = 0;

	if (size < sizeof(version) + 4 || memcmp(line, version, sizeof(version) - 1) ||
	    (line[sizeof(version) - 1] != '0' && line[sizeof(version) - 1] != '1') ||
	    line[sizeof(version)] != ' ')
		return 0;
	for (int i = 0; i < 3; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return 0;
		status = status * 10 + (unsigned int)(digits[i] - '0');
	}
	return digits[3] == ' ' || digits[3] == '\r' || digits[3] == '\n' ? status : 0;
}

/* Interim answers (1xx) and their headers come off. False: more has to be read. */
static bool find_status(struct answer *answer, unsigned int *ret)
{
	for (;;) {
		const char *line = memchr(answer->bytes, '\n', answer->size), *end;

		if (!line)
			return false;
		*ret = status_of(answer->bytes, (size_t)(line - answer->bytes) + 1);
		if (*ret < 100 || *ret > 199 || *ret == 101)
			return true;
		end = memmem(answer->bytes, answer->size, "\r\n\r\n", 4);
		if (!end)
			return false;
		answer->size -= (size_t)(end + 4 - answer->bytes);
		memmove(answer->bytes, end + 4, answer->size);
	}
}

static bool read_status(struct gpc_ask *ask, int fd, struct answer *answer, unsigned int *ret)
{
	while (!find_status(answer, ret)) {
		ssize_t size;

		if (answer->size == sizeof(answer->bytes))
			return gpc_ask_fail(ask, 0, "no status in %u bytes", MOST_HEADERS);
		if (!gpc_ask_wait(ask, fd, POLLIN, "no answer"))
			return false;
		size = recv(fd, answer->bytes + answer->size, sizeof(answer->bytes) - answer->size,
			    0);
		if (!size)
			return gpc_ask_fail(ask, 0, "connection closed before a status");
		if (size < 0 && errno != EAGAIN && errno != EINTR)
			return gpc_ask_fail(ask, errno, "no answer");
		answer->size += size > 0 ? (size_t)size : 0;
	}
	return true;
}

bool gpc_ask_http(struct gpc_ask *ask)
{
	const struct gpc_probe *probe = ask->probe;
	GPC_AUTO_FREE struct answer *answer = calloc(1, sizeof(*answer));
	GPC_AUTO_FREE char *request = request_of(probe);
	GPC_AUTO_CLOSE int fd = gpc_ask_connect(ask, SOCK_STREAM);
	unsigned int status = 0;

	if (!answer)
		abort();
	if (fd < 0 || !send_all(ask, fd, request) || !read_status(ask, fd, answer, &status))
		return false;
	if (!status)
		return gpc_ask_fail(ask, 0, "the answer is no HTTP/1");
	if (status < probe->status_first || status > probe->status_last)
		return gpc_ask_fail(ask, 0, "status %u, not %u-%u", status, probe->status_first,
				    probe->status_last);
	return true;
}
