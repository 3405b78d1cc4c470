/* SPDX-License-Identifier: MIT */
/* The runner against servers in a network namespace of the test's own, whatever they answer. */
#include "loader/probe/run.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/interrupt.h"
#include "tests/unit/unit.h"

static struct gpc_probe_outcome outcome;

/* ---- servers ---- */

static int server_socket(int type, uint16_t *ret_port)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(own);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&own, size) ||
	    getsockname(fd, (struct sockaddr *)&own, &size) ||
	    (type == SOCK_STREAM && listen(fd, 8)))
		abort();
	*ret_port = ntohs(own.sin_port);
	return fd;
}

/* Answers each connection with `pieces`, with a moment between them, up to a NULL; ends with the test. */
static pid_t serve_tcp(const char *const *pieces, uint16_t *ret_port)
{
	int fd = server_socket(SOCK_STREAM, ret_port);
	pid_t pid = fork();

	while (!pid) {
		char request[1024];
		int peer = accept(fd, NULL, NULL);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (read(peer, request, sizeof(request)) < 0)
			_exit(1);
		for (const char *const *piece = pieces; *piece; piece++) {
			(void)!write(peer, *piece, strlen(*piece));
			usleep(2000);
		}
		close(peer);
	}
	close(fd);
	return pid;
}

/* Answers a datagram with each of `answers`. */
static pid_t serve_udp(const char *const *answers, uint16_t *ret_port)
{
	int fd = server_socket(SOCK_DGRAM, ret_port);
	pid_t pid = fork();

	while (!pid) {
		struct sockaddr_in peer;
		socklen_t size = sizeof(peer);
		char datagram[2048];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (recvfrom(fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&peer, &size) < 0)
			_exit(1);
		for (const char *const *answer = answers; *answer; answer++)
			sendto(fd, *answer, strlen(*answer), 0, (struct sockaddr *)&peer, size);
	}
	close(fd);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- asking ---- */

/* FORMAT is a probe, with one attempt unless it says otherwise. */
__attribute__((format(printf, 1, 2))) static bool passes(const char *format, ...)
{
	struct gpc_probes probes = {0};
	struct gpc_failure failure;
	char text[1024], whole[1100];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(whole, sizeof(whole), "attempts=1 %s", text);
	if (gpc_probe_parse(&probes, whole, &failure)) {
		fprintf(stderr, "%s\n", failure.message);
		abort();
	}
	gpc_probe_run(&probes.items[0], &outcome);
	gpc_probes_release(&probes);
	return outcome.passed;
}

static bool because(const char *cause)
{
	bool same = !strcmp(outcome.cause, cause);

	if (!same)
		fprintf(stderr, "'%s', not '%s'\n", outcome.cause, cause);
	return same;
}

/* A port that nobody listens on. */
static uint16_t closed_port(int type)
{
	uint16_t port;

	close(server_socket(type, &port));
	return port;
}

static void a_connection_that_opens_passes(void)
{
	static const char *const nothing[] = {NULL};
	uint16_t port;
	pid_t server = serve_tcp(nothing, &port);

	CU_ASSERT(passes("tcp 127.0.0.1:%u", port));
	CU_ASSERT_EQUAL(outcome.attempts, 1);
	CU_ASSERT(passes("interface=lo tcp 127.0.0.1:%u", port));
	CU_ASSERT_FALSE(passes("interface=nix0 tcp 127.0.0.1:%u", port));
	CU_ASSERT(because("cannot send by interface 'nix0': No such device"));
	CU_ASSERT_FALSE(passes("netns=gpc-no-such tcp 127.0.0.1:%u", port));
	CU_ASSERT(because("network namespace 'gpc-no-such': No such file or directory"));
	stop(server);
	CU_ASSERT_FALSE(passes("tcp 127.0.0.1:%u", closed_port(SOCK_STREAM)));
	CU_ASSERT(because("cannot connect: Connection refused"));
}

static void attempts_are_made_until_one_passes(void)
{
	CU_ASSERT_FALSE(passes("attempts=3 interval=1ms tcp 127.0.0.1:%u", closed_port(SOCK_STREAM)));
	CU_ASSERT_EQUAL(outcome.attempts, 3);
	CU_ASSERT(passes("attempts=5 interval=1ms exec /bin/sh -c 'f=/tmp/gpc-probe-$PPID; n=$(cat $f 2>/dev/null)x; "
			 "echo $n >$f; [ $n = xxx ] && rm $f'"));
	CU_ASSERT_EQUAL(outcome.attempts, 3);
}

static void the_status_of_an_answer_counts(void)
{
	static const struct {
		const char *pieces[6], *status;
		const char *cause; /* NULL: passes */
	} rows[] = {
		{{"HTTP/1.1 200 OK\r\n\r\n"}, "", NULL},
		{{"HTTP/1.0 204\r\n"}, "", NULL},
		{{"HT", "TP/1.1 2", "00 O", "K\r", "\n"}, "", NULL},
		{{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n", "\r\nHTTP/1.1 200 OK\r\n"}, "", NULL},
		{{"HTTP/1.1 404 No\r\n\r\n"}, "", "status 404, not 200-399"},
		{{"HTTP/1.1 404 No\r\n\r\n"}, "404", NULL},
		{{"HTTP/1.1 200 OK\r\n\r\n"}, "500-599", "status 200, not 500-599"},
		{{"HTTP/2 200 OK\r\n\r\n"}, "", "the answer is no HTTP/1"},
		{{"SSH-2.0-OpenSSH\r\n"}, "", "the answer is no HTTP/1"},
		{{"HTTP/1.1 2000\r\n"}, "", "the answer is no HTTP/1"},
		{{"HTTP/1.1 20\r\n"}, "", "the answer is no HTTP/1"},
		{{"\n"}, "", "the answer is no HTTP/1"},
		{{"HTTP/1.1 200"}, "", "connection closed before a status"},
		{{"HTTP/1.1 100 Go on\r\n\r\n"}, "", "connection closed before a status"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t port;
		pid_t server = serve_tcp(rows[i].pieces, &port);

		CU_ASSERT_EQUAL(passes("http http://127.0.0.1:%u/ %s", port, rows[i].status), !rows[i].cause);
		CU_ASSERT(!rows[i].cause || because(rows[i].cause));
		stop(server);
	}
}

static void an_answer_without_end_is_given_up(void)
{
	static char much[20000];
	const char *const pieces[] = {much, NULL};
	uint16_t port;
	pid_t server;

	memset(much, 'x', sizeof(much) - 1);
	server = serve_tcp(pieces, &port);
	CU_ASSERT_FALSE(passes("http http://127.0.0.1:%u/", port));
	CU_ASSERT(because("no status in 16384 bytes"));
	stop(server);
}

static void a_silent_peer_is_waited_for_no_longer_than_the_timeout(void)
{
	uint16_t stream, datagram;
	int quiet[] = {server_socket(SOCK_STREAM, &stream), server_socket(SOCK_DGRAM, &datagram)};

	CU_ASSERT_FALSE(passes("timeout=20ms http http://127.0.0.1:%u/", stream));
	CU_ASSERT(because("no answer within 20 ms"));
	CU_ASSERT_FALSE(passes("timeout=20ms udp 127.0.0.1:%u x", datagram));
	CU_ASSERT(because("no answer within 20 ms"));
	close(quiet[0]);
	close(quiet[1]);
}

static void a_datagram_has_to_be_answered_as_expected(void)
{
	static const char *const answers[] = {"no", "[yes]", NULL};
	uint16_t port;
	pid_t server = serve_udp(answers, &port);

	CU_ASSERT(passes("udp 127.0.0.1:%u x", port));
	CU_ASSERT(passes("udp 127.0.0.1:%u x yes", port));
	CU_ASSERT_FALSE(passes("timeout=50ms udp 127.0.0.1:%u x maybe", port));
	CU_ASSERT(because("only other answers than the expected one within 50 ms"));
	stop(server);
	CU_ASSERT_FALSE(passes("udp 127.0.0.1:%u x", closed_port(SOCK_DGRAM)));
	CU_ASSERT(because("no answer: Connection refused"));
}

static void a_program_passes_by_its_status(void)
{
	CU_ASSERT(passes("exec /bin/true"));
	CU_ASSERT_FALSE(passes("exec /bin/sh -c 'echo why; echo who >&2; exit 7'"));
	CU_ASSERT(because("ended with 7"));
	CU_ASSERT_STRING_EQUAL(outcome.output, "why\nwho\n");
	CU_ASSERT_FALSE(passes("exec /bin/sh -c 'kill -9 $$'"));
	CU_ASSERT(because("killed by signal 9"));
	CU_ASSERT_FALSE(passes("exec /no/such/program"));
	CU_ASSERT(because("cannot run '/no/such/program': No such file or directory"));
}

static void a_program_gets_nothing_but_what_it_needs(void)
{
	setenv("SECRET", "x", 1);
	CU_ASSERT(passes("name=mine exec /bin/sh -c '[ -z \"$SECRET\" ] && [ $GPC_PROBE = mine ] && "
			 "[ -z \"$(cat)\" ] && [ -z \"$(ls /proc/self/fd | grep -vE \"^[0-3]$\")\" ]'"));
	unsetenv("SECRET");
}

static void of_much_output_the_end_is_kept(void)
{
	CU_ASSERT_FALSE(passes("exec /bin/sh -c 'head -c 300000 /dev/zero | tr \"\\\\0\" a; echo end; exit 1'"));
	CU_ASSERT(outcome.output_cut);
	CU_ASSERT_EQUAL(outcome.output_size, GPC_PROBE_OUTPUT);
	CU_ASSERT_STRING_EQUAL(outcome.output + outcome.output_size - 5, "aend\n");
}

/* Gone, or a zombie that whoever inherits orphans has not asked for. */
static bool is_over(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return true;
	(void)!fgets(line, sizeof(line), file);
	fclose(file);
	return strstr(line, ") Z") != NULL;
}

static void a_program_that_stays_is_killed_with_all_it_started(void)
{
	bool over = false;

	CU_ASSERT_FALSE(passes("timeout=100ms exec /bin/sh -c 'sleep 300 & echo $!; wait'"));
	CU_ASSERT(because("not ended within 100 ms"));
	CU_ASSERT_FATAL(outcome.output_size > 0);
	for (int i = 0; i < 500 && !over; i++, usleep(10000))
		over = is_over((pid_t)strtol(outcome.output, NULL, 10));
	CU_ASSERT(over);
	/* One that ended is not waited for because of a child that holds its output. */
	CU_ASSERT(passes("timeout=60s exec /bin/sh -c 'sleep 300 & exit 0'"));
}

static void a_signal_ends_it(void)
{
	pid_t sender;

	gpc_interrupts_hold();
	sender = fork();
	if (!sender) {
		usleep(50000);
		kill(getppid(), SIGTERM);
		_exit(0);
	}
	CU_ASSERT_FALSE(passes("timeout=60s exec /bin/sleep 300"));
	waitpid(sender, NULL, 0);
	CU_ASSERT(outcome.interrupted);
	CU_ASSERT_FALSE(passes("attempts=1000 interval=60s tcp 127.0.0.1:1"));
	CU_ASSERT(outcome.interrupted);
	gpc_interrupts_hold();
}

/* Loopback of a namespace of its own; without the right to one, of one in a user namespace. */
static bool alone(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &lo) && !close(fd);
}

static void a_namespace_is_there(void)
{
	signal(SIGPIPE, SIG_IGN);
	CU_ASSERT_FATAL(alone());
}

GPC_UNIT_MAIN("probe/run", {"a_namespace_is_there", a_namespace_is_there},
	      {"a_connection_that_opens_passes", a_connection_that_opens_passes},
	      {"attempts_are_made_until_one_passes", attempts_are_made_until_one_passes},
	      {"the_status_of_an_answer_counts", the_status_of_an_answer_counts},
	      {"an_answer_without_end_is_given_up", an_answer_without_end_is_given_up},
	      {"a_silent_peer_is_waited_for_no_longer_than_the_timeout",
	       a_silent_peer_is_waited_for_no_longer_than_the_timeout},
	      {"a_datagram_has_to_be_answered_as_expected", a_datagram_has_to_be_answered_as_expected},
	      {"a_program_passes_by_its_status", a_program_passes_by_its_status},
	      {"a_program_gets_nothing_but_what_it_needs", a_program_gets_nothing_but_what_it_needs},
	      {"of_much_output_the_end_is_kept", of_much_output_the_end_is_kept},
	      {"a_program_that_stays_is_killed_with_all_it_started",
	       a_program_that_stays_is_killed_with_all_it_started},
	      {"a_signal_ends_it", a_signal_ends_it})
