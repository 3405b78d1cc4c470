/* SPDX-License-Identifier: MIT */
/*
 * crowd: many TCP connections that talk all the time, and the server they talk to.
 *
 *   crowd serve NAME READY PORT...         echoes messages with NAME in them, on each PORT; makes the file READY
 *   crowd ask COUNT PERIOD ADDRESS PORT... COUNT connections, in turn to each ADDRESS PORT
 *
 * ask prints "open COUNT". Then every connection sends a message, and waits for its answer, in rounds that
 * begin PERIOD ms apart at least. For each line on stdin one is printed once a round that began after it is over:
 *
 *   rounds N bytes N same N moved N broken N
 *
 * same: all its answers, each byte of them, were right and of the server that gave the first. moved: another server.
 * broken: reset, closed, wrong bytes, or no answer for PATIENCE_S. A connection that is not the same is left out of
 * further rounds, and why is said on stderr.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 1200u
#define NAME 16u
#define PATIENCE_S 30u
#define EVENTS 256

struct message {
	char name[NAME]; /* empty in questions */
	uint64_t connection, round;
	uint8_t pattern[MESSAGE - NAME - 16];
};
_Static_assert(sizeof(struct message) == MESSAGE, "no padding");

enum health { SAME, MOVED, BROKEN, HEALTHS };

struct connection {
	int fd;
	uint64_t number;
	size_t sent, received; /* of the message at hand */
	struct message out, in;
	char server[NAME];
	enum health health;
	bool waits; /* for the answer of this round */
};

struct crowd {
	struct connection *connections;
	uint32_t count, waiting;
	uint64_t round, bytes, period;
	int epoll;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void watch(int epoll, int fd, void *of)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = of};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll");
}

/* For sending too, or no more. */
static void watch_for(struct connection *c, int epoll, bool sending)
{
	struct epoll_event event = {.events = EPOLLIN | (sending ? EPOLLOUT : 0), .data.ptr = c};

	if (epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event))
		err(1, "epoll");
}

/* Sends what is left of c->out; 0, or -1 with errno. */
static int send_rest(struct connection *c, int epoll)
{
	ssize_t n = send(c->fd, (char *)&c->out + c->sent, MESSAGE - c->sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN)
		return -1;
	c->sent += n > 0 ? (size_t)n : 0;
	watch_for(c, epoll, c->sent < MESSAGE);
	return 0;
}

/* 1: c->in is whole. 0: not yet. -1: with errno. */
static int receive_some(struct connection *c)
{
	ssize_t n = recv(c->fd, (char *)&c->in + c->received, MESSAGE - c->received, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	if (!n) {
		errno = ENOTCONN;
		return -1;
	}
	c->received += (size_t)n;
	return c->received == MESSAGE;
}

/* ---- the server ---- */

static void accept_one(int listener, int epoll)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		err(1, "memory");
	c->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (c->fd < 0)
		err(1, "accept");
	watch(epoll, c->fd, c);
}

/* false: the connection is over. */
static bool answer(struct connection *c, uint32_t events, int epoll, const char *name)
{
	int got = 0;

	if (events & EPOLLOUT && send_rest(c, epoll))
		return false;
	if (events & ~(uint32_t)EPOLLOUT)
		got = receive_some(c);
	if (got <= 0)
		return !got;
	c->out = c->in;
	snprintf(c->out.name, sizeof(c->out.name), "%s", name);
	c->sent = c->received = 0;
	return !send_rest(c, epoll);
}

static void listen_at(const char *port, struct connection *c, int epoll)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)strtoul(port, NULL, 10))};
	int one = 1;

	c->fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(c->fd, (struct sockaddr *)&any, sizeof(any)) || listen(c->fd, 4096))
		err(1, "port %s", port);
	watch(epoll, c->fd, c);
}

static _Noreturn void serve(const char *name, const char *ready, char **ports, uint32_t count)
{
	struct connection *listeners = calloc(count, sizeof(*listeners));
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd;
	struct epoll_event events[EVENTS];

	if (!listeners || epoll < 0)
		err(1, "start");
	for (uint32_t i = 0; i < count; i++)
		listen_at(ports[i], &listeners[i], epoll);
	fd = open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd))
		err(1, "%s", ready);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (c >= listeners && c < listeners + count) {
				accept_one(c->fd, epoll);
			} else if (!answer(c, events[i].events, epoll, name)) {
				close(c->fd);
				free(c);
			}
		}
	}
}

/* ---- the clients ---- */

static void lose(struct crowd *crowd, struct connection *c, enum health health, const char *why)
{
	fprintf(stderr, "connection %llu of %s, round %llu: %s\n", (unsigned long long)c->number,
		c->server[0] ? c->server : "nobody", (unsigned long long)crowd->round, why);
	c->health = health;
	close(c->fd);
	crowd->waiting -= c->waits;
	c->waits = false;
}

static void ask(struct crowd *crowd, struct connection *c)
{
	c->out = (struct message){.connection = c->number, .round = crowd->round};
	for (size_t i = 0; i < sizeof(c->out.pattern); i++)
		c->out.pattern[i] = (uint8_t)(c->number * 131 + crowd->round * 7 + i * i);
	c->sent = c->received = 0;
	c->waits = true;
	crowd->waiting++;
	if (send_rest(c, crowd->epoll))
		lose(crowd, c, BROKEN, strerror(errno));
}

static void judge(struct crowd *crowd, struct connection *c)
{
	char name[NAME];

	memcpy(name, c->in.name, NAME);
	name[NAME - 1] = 0;
	if (!c->server[0])
		memcpy(c->server, name, NAME);
	c->in.name[0] = 0;
	if (memcmp((char *)&c->in + NAME, (char *)&c->out + NAME, MESSAGE - NAME))
		return lose(crowd, c, BROKEN, "wrong bytes");
	if (strcmp(name, c->server))
		return lose(crowd, c, MOVED, name);
	crowd->bytes += 2 * MESSAGE;
	crowd->waiting--;
	c->waits = false;
}

static void hear(struct crowd *crowd, struct connection *c, uint32_t events)
{
	int got = 0;

	if (c->health != SAME)
		return;
	if (events & EPOLLOUT && send_rest(c, crowd->epoll))
		return lose(crowd, c, BROKEN, strerror(errno));
	if (events & ~(uint32_t)EPOLLOUT)
		got = receive_some(c);
	if (got < 0)
		lose(crowd, c, BROKEN, strerror(errno));
	else if (got)
		judge(crowd, c);
}

static void connect_one(struct connection *c, const char *address, const char *port, int epoll)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	bool is6 = strchr(address, ':');

	v4.sin_port = v6.sin6_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (inet_pton(is6 ? AF_INET6 : AF_INET, address,
		      is6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1)
		errx(1, "'%s' is no address", address);
	c->fd = socket(is6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, is6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
				 is6 ? sizeof(v6) : sizeof(v4)))
		err(1, "%s port %s", address, port);
	watch(epoll, c->fd, c);
}

static void round_begin(struct crowd *crowd)
{
	crowd->round++;
	for (uint32_t i = 0; i < crowd->count; i++)
		if (crowd->connections[i].health == SAME)
			ask(crowd, &crowd->connections[i]);
}

static void give_up(struct crowd *crowd)
{
	for (uint32_t i = 0; i < crowd->count; i++)
		if (crowd->connections[i].waits)
			lose(crowd, &crowd->connections[i], BROKEN, "no answer");
}

static void report(const struct crowd *crowd)
{
	uint32_t of[HEALTHS] = {0};

	for (uint32_t i = 0; i < crowd->count; i++)
		of[crowd->connections[i].health]++;
	printf("rounds %llu bytes %llu same %u moved %u broken %u\n",
	       (unsigned long long)crowd->round, (unsigned long long)crowd->bytes, of[SAME],
	       of[MOVED], of[BROKEN]);
	fflush(stdout);
}

/* What comes until then at most; whether a line on stdin did. */
static bool hear_all(struct crowd *crowd, uint64_t until)
{
	struct epoll_event events[EVENTS];
	uint64_t now = now_ms();
	int n = epoll_wait(crowd->epoll, events, EVENTS, now < until ? (int)(until - now) : 0);
	bool line = false;
	char text[64];

	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr)
			hear(crowd, events[i].data.ptr, events[i].events);
		else if (read(0, text, sizeof(text)) <= 0)
			exit(0);
		else
			line = true;
	}
	return line;
}

static _Noreturn void talk(struct crowd *crowd)
{
	bool line = false, before; /* a line came; before this round began */

	for (;;) {
		uint64_t start = now_ms();

		before = line;
		line = false;
		round_begin(crowd);
		while (crowd->waiting && now_ms() < start + 1000 * PATIENCE_S)
			line |= hear_all(crowd, start + 1000 * PATIENCE_S);
		give_up(crowd);
		if (before)
			report(crowd);
		while (!line && now_ms() < start + crowd->period)
			line |= hear_all(crowd, start + crowd->period);
	}
}

static _Noreturn void ask_all(struct crowd crowd, char **targets, uint32_t target_count)
{
	uint32_t count = crowd.count;

	crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
	crowd.connections = calloc(count, sizeof(*crowd.connections));
	if (!crowd.connections || crowd.epoll < 0)
		err(1, "start");
	for (uint32_t i = 0; i < count; i++) {
		char **target = targets + i % target_count * 2;

		crowd.connections[i].number = i;
		connect_one(&crowd.connections[i], target[0], target[1], crowd.epoll);
	}
	watch(crowd.epoll, 0, NULL);
	printf("open %u\n", count);
	fflush(stdout);
	talk(&crowd);
}

int main(int argc, char **argv)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		err(1, "limit of files");
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "limit of files");
	if (argc >= 5 && !strcmp(argv[1], "serve"))
		serve(argv[2], argv[3], argv + 4, (uint32_t)argc - 4);
	if (argc >= 6 && argc % 2 == 0 && !strcmp(argv[1], "ask"))
		ask_all((struct crowd){.count = (uint32_t)strtoul(argv[2], NULL, 10),
				       .period = strtoul(argv[3], NULL, 10)},
			argv + 4, ((uint32_t)argc - 4) / 2);
	errx(64, "see the head of crowd.c");
}
