/* SPDX-License-Identifier: MIT */
#include "../../../../loader/plane/lock.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../unit.h"

static char folder[64], file[80];

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/gpc-lock-test-%ld", (long)getpid());
	snprintf(file, sizeof(file), "%s/lock", folder);
}

static void remove_folder(void)
{
	unlink(file);
	rmdir(folder);
}

static void the_folder_is_made_and_the_lock_taken_again(void)
{
	struct gpc_lock lock = GPC_LOCK_NONE;
	struct gpc_failure failure;
	int i;

	make_folder();
	for (i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(gpc_lock_acquire(folder, &lock, &failure), 0);
		gpc_lock_release(&lock);
		CU_ASSERT_EQUAL(lock.fd, -1);
	}
	gpc_lock_release(&lock);
	remove_folder();
}

static void a_second_gpc_is_told_who_holds_it(void)
{
	struct gpc_lock lock = GPC_LOCK_NONE, second = GPC_LOCK_NONE;
	struct gpc_failure failure;
	char pid[32];

	make_folder();
	snprintf(pid, sizeof(pid), "pid %ld (", (long)getpid());
	CU_ASSERT_EQUAL_FATAL(gpc_lock_acquire(folder, &lock, &failure), 0);
	CU_ASSERT_EQUAL(gpc_lock_acquire(folder, &second, &failure), -1);
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_CONFLICT);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, pid));
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, "lock_test"));
	CU_ASSERT_EQUAL(second.fd, -1);
	gpc_lock_release(&lock);
	remove_folder();
}

static void a_killed_holder_holds_nothing(void)
{
	struct gpc_lock lock = GPC_LOCK_NONE;
	struct gpc_failure failure;
	int ready[2];
	char byte;
	pid_t child;

	make_folder();
	CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		if (!gpc_lock_acquire(folder, &lock, &failure))
			(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	CU_ASSERT_EQUAL(gpc_lock_acquire(folder, &lock, &failure), -1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CU_ASSERT_EQUAL(gpc_lock_acquire(folder, &lock, &failure), 0);
	gpc_lock_release(&lock);
	close(ready[0]);
	close(ready[1]);
	remove_folder();
}

static void a_symbolic_link_is_not_followed(void)
{
	struct gpc_lock lock = GPC_LOCK_NONE;
	struct gpc_failure failure;

	make_folder();
	mkdir(folder, 0700);
	CU_ASSERT_EQUAL(symlink("/tmp/gpc-lock-test-elsewhere", file), 0);
	CU_ASSERT_EQUAL(gpc_lock_acquire(folder, &lock, &failure), -1);
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, "is a symbolic link"));
	CU_ASSERT_NOT_EQUAL(access("/tmp/gpc-lock-test-elsewhere", F_OK), 0);
	remove_folder();
}

static void write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	fputs(text, out);
	fclose(out);
}

static bool holds(const char *path, const char *text)
{
	char found[64] = "";
	FILE *in = fopen(path, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	(void)!fgets(found, sizeof(found), in);
	fclose(in);
	return !strcmp(found, text);
}

static void a_folder_that_others_write_is_left_alone(void)
{
	struct gpc_lock lock = GPC_LOCK_NONE;
	struct gpc_failure failure;

	make_folder();
	mkdir(folder, 0700);
	CU_ASSERT_EQUAL(chmod(folder, 0777), 0);
	write_text(file, "precious");
	CU_ASSERT_EQUAL(gpc_lock_acquire(folder, &lock, &failure), -1);
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, "mode 0777"));
	CU_ASSERT_TRUE(holds(file, "precious"));
	remove_folder();
}

static void a_file_with_a_second_name_is_left_alone(void)
{
	struct gpc_lock lock = GPC_LOCK_NONE;
	struct gpc_failure failure;
	char other[96];

	make_folder();
	mkdir(folder, 0700);
	snprintf(other, sizeof(other), "%s-other", folder);
	write_text(other, "precious");
	CU_ASSERT_EQUAL(link(other, file), 0);
	CU_ASSERT_EQUAL(gpc_lock_acquire(folder, &lock, &failure), -1);
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_TRUE(holds(other, "precious"));
	unlink(other);
	remove_folder();
}

static void a_folder_that_cannot_be_made_fails_with_a_hint(void)
{
	struct gpc_lock lock = GPC_LOCK_NONE;
	struct gpc_failure failure;

	CU_ASSERT_EQUAL(gpc_lock_acquire("/proc/gpc", &lock, &failure), -1);
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.hint, "GPC_STATE_DIR"));
}

GPC_UNIT_MAIN("plane/lock",
	      {"the_folder_is_made_and_the_lock_taken_again",
	       the_folder_is_made_and_the_lock_taken_again},
	      {"a_second_gpc_is_told_who_holds_it", a_second_gpc_is_told_who_holds_it},
	      {"a_killed_holder_holds_nothing", a_killed_holder_holds_nothing},
	      {"a_symbolic_link_is_not_followed", a_symbolic_link_is_not_followed},
	      {"a_folder_that_others_write_is_left_alone",
	       a_folder_that_others_write_is_left_alone},
	      {"a_file_with_a_second_name_is_left_alone", a_file_with_a_second_name_is_left_alone},
	      {"a_folder_that_cannot_be_made_fails_with_a_hint",
	       a_folder_that_cannot_be_made_fails_with_a_hint})
