/* SPDX-License-Identifier: MIT */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"

/* Reads at most size - 1 bytes and ends them with a NUL; NULs between become spaces. */
static void read_words(int fd, char *out, size_t size)
{
	ssize_t got = pread(fd, out, size - 1, 0), i;

	if (got < 0)
		got = 0;
	out[got] = '\0';
	for (i = 0; i < got; i++)
		if (out[i] == '\0' || out[i] == '\n')
			out[i] = ' ';
	while (got > 0 && out[got - 1] == ' ')
		out[--got] = '\0';
}

static void name_holder(int fd)
{
	GPC_AUTO_CLOSE int self = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	char command[256] = "", text[320];
	int size;

	if (self >= 0)
		read_words(self, command, sizeof(command));
	size = snprintf(text, sizeof(text), "pid %ld (%s)\n", (long)getpid(), command);
	/* Without this text the lock holds all the same. */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)size, 0) != size)
		(void)!ftruncate(fd, 0);
}

int gpc_lock_acquire(const char *state_dir, struct gpc_lock *ret, struct gpc_failure *failure)
{
	GPC_AUTO_CLOSE int fd = -1;
	char path[PATH_MAX], holder[320];
	int size = snprintf(path, sizeof(path), "%s/lock", state_dir);

	if (size < 0 || (size_t)size >= sizeof(path))
		return gpc_fail(failure, GPC_EXIT_USAGE, ENAMETOOLONG, "state folder '%s'", state_dir);
	if (mkdir(state_dir, 0700) && errno != EEXIST) {
		gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot make the state folder '%s'", state_dir);
		return gpc_fail_hint(failure, "make it, or set GPC_STATE_DIR to a folder that can be written");
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot open the lock '%s'", path);
		return gpc_fail_hint(failure, "gpc must be able to write the state folder '%s'", state_dir);
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot lock '%s'", path);
		read_words(fd, holder, sizeof(holder));
		gpc_fail(failure, GPC_EXIT_CONFLICT, 0, "another gpc is at work here: %s",
			 *holder ? holder : "it has not said who it is");
		return gpc_fail_hint(failure, "wait until it ends, then run this again");
	}
	name_holder(fd);
	ret->fd = GPC_TAKE_FD(fd);
	return 0;
}

void gpc_lock_release(struct gpc_lock *lock)
{
	if (lock->fd < 0)
		return;
	/* The text goes first: who reads it must not be told of a holder that is gone. */
	(void)!ftruncate(lock->fd, 0);
	close(lock->fd);
	lock->fd = -1;
}
