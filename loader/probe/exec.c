/* SPDX-License-Identifier: MIT */
/*
 * A program, without a shell, in a process group of its own. Standard input is /dev/null, both outputs
 * go to one pipe; the environment is PATH, LC_ALL and the probe's name.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "ask.h"

struct run {
	struct gpc_ask *ask;
	pid_t pid;
	int process;	/* pidfd */
	int output;	/* what it prints, not blocking */
	int failure;	/* an errno when it could not be executed; else its end */
};

static void close_run(struct run *run)
{
	gpc_cleanup_close(&run->process);
	gpc_cleanup_close(&run->output);
	gpc_cleanup_close(&run->failure);
}

/* ---- the child: nothing but system calls ---- */

static void become(const struct gpc_probe *probe, char *const *environment, int output)
{
	static const int reset[] = {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT};
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
		signal(reset[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0 ||
	    close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC))
		return;
	execve(probe->command[0], probe->command, environment);
}

static _Noreturn void child(const struct gpc_probe *probe, char *const *environment, int output,
			    int failure)
{
	int error;

	become(probe, environment, output);
	error = errno;
	(void)!write(failure, &error, sizeof(error));
	_exit(127);
}

/* ---- the parent ---- */

static bool fork_there(struct run *run, char *const *environment, const int output[2],
		       const int failure[2])
{
	GPC_AUTO_CLOSE int back = -1;
	int error;

	if (!gpc_ask_enter(run->ask, &back))
		return false;
	run->pid = fork();
	error = errno;
	if (!run->pid)
		child(run->ask->probe, environment, output[1], failure[1]);
	if (back >= 0 && setns(back, CLONE_NEWNET))
		abort();
	if (run->pid < 0)
		return gpc_ask_fail(run->ask, error, "cannot make a process");
	setpgid(run->pid, run->pid); /* so that it is its own group, whoever comes first */
	run->process = (int)syscall(SYS_pidfd_open, run->pid, 0);
	return run->process >= 0 || gpc_ask_fail(run->ask, errno, "cannot watch the process");
}

static bool start(struct run *run)
{
	GPC_AUTO_FREE char *name = NULL;
	int output[2], failure[2];
	bool started;

	if (asprintf(&name, "GPC_PROBE=%s", run->ask->probe->name) < 0)
		abort();
	if (pipe2(output, O_CLOEXEC | O_NONBLOCK))
		return gpc_ask_fail(run->ask, errno, "no pipe");
	run->output = output[0];
	if (pipe2(failure, O_CLOEXEC)) {
		close(output[1]);
		return gpc_ask_fail(run->ask, errno, "no pipe");
	}
	run->failure = failure[0];
	fcntl(output[1], F_SETFL, 0); /* its end is like any other's */
	started = fork_there(run,
			     (char *[]){(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
						"/sbin:/bin",
					(char *)"LC_ALL=C.UTF-8", name, NULL},
			     output, failure);
	close(output[1]);
	close(failure[1]);
	return started;
}

/* Keeps the end of what it prints. */
static void keep(struct gpc_probe_outcome *outcome, const char *bytes, size_t size)
{
	size_t over = outcome->output_size + size;

	over = over > GPC_PROBE_OUTPUT ? over - GPC_PROBE_OUTPUT : 0;
	if (over) {
		outcome->output_cut = true;
		outcome->output_size -= over;
		memmove(outcome->output, outcome->output + over, outcome->output_size);
	}
	memcpy(outcome->output + outcome->output_size, bytes, size);
	outcome->output_size += size;
	outcome->output[outcome->output_size] = '\0';
}

/* What is there by now; false at the end. */
static bool drain(const struct run *run)
{
	char bytes[GPC_PROBE_OUTPUT / 4];
	ssize_t size;

	while ((size = read(run->output, bytes, sizeof(bytes))) > 0)
		keep(run->ask->outcome, bytes, (size_t)size);
	return size < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Until it ends, reading meanwhile: a full pipe would stop it. */
static bool await_end(const struct run *run)
{
	struct pollfd both[] = {{.fd = run->process, .events = POLLIN},
				{.fd = run->output, .events = POLLIN}};

	while (gpc_ask_wait_any(run->ask, both, 2, "not ended")) {
		if (both[1].revents && !drain(run))
			both[1].fd = -1;
		if (both[0].revents)
			return true;
	}
	return false;
}

/* Takes what is left of its group down and gives its status. */
static int end(const struct run *run)
{
	int status = 0;

	kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)drain(run);
	return status;
}

static bool judge(const struct run *run, int status)
{
	int error;

	if (read(run->failure, &error, sizeof(error)) == (ssize_t)sizeof(error))
		return gpc_ask_fail(run->ask, error, "cannot run '%s'",
				    run->ask->probe->command[0]);
	if (WIFSIGNALED(status))
		return gpc_ask_fail(run->ask, 0, "killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		return gpc_ask_fail(run->ask, 0, "ended with %d", WEXITSTATUS(status));
	return true;
}

bool gpc_ask_exec(struct gpc_ask *ask)
{
	GPC_CLEANUP(close_run) struct run run = {
		.ask = ask, .process = -1, .output = -1, .failure = -1};
	bool ended;
	int status;

	ask->outcome->output_size = 0;
	ask->outcome->output_cut = false;
	ended = start(&run) && await_end(&run);
	if (run.pid <= 0)
		return false;
	status = end(&run);
	return ended && judge(&run, status);
}
