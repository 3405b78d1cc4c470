/* SPDX-License-Identifier: MIT */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "../folder.h"

#define NAME "lock"

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

/* ---- the folder, then the file ---- */

static int open_folder(const char *state_dir, int *ret_fd, struct gpc_failure *failure)
{
	bool missing;
	int fd;

	if (gpc_folder_check(state_dir, &missing, failure))
		return -1;
	if (missing && mkdir(state_dir, 0700) && errno != EEXIST) {
		gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot make the state folder '%s'",
			 state_dir);
		return gpc_fail_hint(
			failure, "make it, or set GPC_STATE_DIR to a folder that can be written");
	}
	fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno,
				"cannot open the state folder '%s'", state_dir);
	*ret_fd = fd;
	return 0;
}

/* Who only wants the lock needs no disk to write on: the file as it is, else the folder, will do.
 */
static int open_file(int folder)
{
	int fd = openat(folder, NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == EROFS)
		fd = openat(folder, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

static int refuse_open(const char *state_dir, int error, struct gpc_failure *failure)
{
	if (error == ELOOP) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "the lock '%s/" NAME "' is a symbolic link",
			 state_dir);
		return gpc_fail_hint(
			failure, "gpc makes a file there; remove the link: rm %s/" NAME, state_dir);
	}
	gpc_fail(failure, GPC_EXIT_FAILED, error, "cannot open the lock '%s/" NAME "'", state_dir);
	return gpc_fail_hint(failure, "gpc must be able to write the state folder '%s'", state_dir);
}

/* The text is written into it: it must be nobody else's file. */
static int check_file(const char *state_dir, int fd, struct gpc_failure *failure)
{
	struct stat st;

	if (fstat(fd, &st))
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot look at '%s/" NAME "'",
				state_dir);
	if (S_ISDIR(st.st_mode) ||
	    (S_ISREG(st.st_mode) && st.st_nlink == 1 && (st.st_uid == 0 || st.st_uid == geteuid())))
		return 0;
	gpc_fail(failure, GPC_EXIT_FAILED, 0, "the lock '%s/" NAME "' is %s", state_dir,
		 !S_ISREG(st.st_mode) ? "not a file"
		 : st.st_nlink != 1   ? "a file with another name beside it"
				      : "somebody else's file");
	return gpc_fail_hint(failure, "look at what it is, then remove it: rm %s/" NAME, state_dir);
}

int gpc_lock_acquire(const char *state_dir, struct gpc_lock *ret, struct gpc_failure *failure)
{
	GPC_AUTO_CLOSE int folder = -1;
	GPC_AUTO_CLOSE int fd = -1;
	char holder[320];

	if (open_folder(state_dir, &folder, failure))
		return -1;
	fd = open_file(folder);
	if (fd < 0)
		return refuse_open(state_dir, errno, failure);
	if (check_file(state_dir, fd, failure))
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return gpc_fail(failure, GPC_EXIT_FAILED, errno,
					"cannot lock '%s/" NAME "'", state_dir);
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
