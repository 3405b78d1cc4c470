/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"

/* The alternate screen, no cursor; and the way back, with all paint off. */
#define ENTER "\033[?1049h\033[?25l\033[2J"
#define LEAVE "\033[0m\033[?25h\033[?1049l"
#define LEAST_ROWS 4u
#define LEAST_COLUMNS 20u

static struct termios before;
static volatile sig_atomic_t taken;

/* Signals that end the process; INT and TERM are noted by interrupt.h instead. */
static const int deadly[] = {SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

static bool put(const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(STDOUT_FILENO, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

/* Called by signals, too: nothing but system calls. */
static void give_back(void)
{
	int error = errno;

	if (!taken)
		return;
	taken = 0;
	(void)put(LEAVE, sizeof(LEAVE) - 1);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	errno = error;
}

static void end(int signal_number)
{
	give_back();
	raise(signal_number); /* SA_RESETHAND: now it ends the process */
}

static void note_size(int signal_number)
{
	(void)signal_number; /* interrupts the wait for a key */
}

static int take(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before))
		return -1;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	/* Stopping and quitting come as keys, so that the terminal is given back first. */
	raw.c_cc[VSUSP] = raw.c_cc[VQUIT] = _POSIX_VDISABLE;
	taken = 1;
	if (!tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) && put(ENTER, sizeof(ENTER) - 1))
		return 0;
	give_back();
	return -1;
}

int gpc_terminal_check(struct gpc_failure *failure)
{
	const char *term = getenv("TERM");

	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb"))
		return 0;
	gpc_fail(failure, GPC_EXIT_USAGE, 0, "there is no terminal to draw on");
	return gpc_fail_hint(failure, "gpc stats --interval 1s prints the same line by line");
}

int gpc_terminal_open(struct gpc_failure *failure)
{
	const struct sigaction dying = {.sa_handler = end, .sa_flags = (int)SA_RESETHAND};
	const struct sigaction sizing = {.sa_handler = note_size};

	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		sigaction(deadly[i], &dying, NULL);
	sigaction(SIGWINCH, &sizing, NULL);
	if (take())
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot use the terminal");
	return 0;
}

void gpc_terminal_close(void)
{
	give_back();
}

void gpc_terminal_suspend(void)
{
	give_back();
	raise(SIGSTOP);
	(void)take();
}

struct gpc_terminal_size gpc_terminal_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		return (struct gpc_terminal_size){24, 80};
	return (struct gpc_terminal_size){
		.rows = size.ws_row < LEAST_ROWS ? LEAST_ROWS : size.ws_row,
		.columns = size.ws_col < LEAST_COLUMNS ? LEAST_COLUMNS : size.ws_col,
	};
}

int gpc_terminal_key(int wait_ms)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	unsigned char key;
	ssize_t n;
	int r = poll(&in, 1, wait_ms);

	if (r <= 0)
		return r < 0 && errno != EINTR ? GPC_KEY_GONE : GPC_KEY_NONE;
	n = read(STDIN_FILENO, &key, 1);
	if (n == 1)
		return key;
	return n < 0 && errno == EINTR ? GPC_KEY_NONE : GPC_KEY_GONE;
}

/* Bytes of the line's first `columns` characters. */
static size_t cut(const char *line, size_t length, unsigned int columns)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (((unsigned char)line[i] & 0xc0) != 0x80 && !columns--)
			break;
	return i;
}

int gpc_terminal_show(const char *text)
{
	struct gpc_terminal_size size = gpc_terminal_size();
	GPC_AUTO_FREE char *frame = NULL;
	size_t bytes;
	FILE *out = open_memstream(&frame, &bytes);

	if (!out)
		abort();
	fputs("\033[H", out);
	for (unsigned int row = 0; row < size.rows; row++) {
		size_t length = strcspn(text, "\n");

		fprintf(out, "%s%.*s\033[K%s", row ? "" : "\033[7m",
			(int)cut(text, length, size.columns), text, row ? "" : "\033[0m");
		text += length;
		text += *text == '\n';
		if (row + 1 < size.rows)
			fputc('\n', out);
	}
	if (fclose(out))
		abort();
	return put(frame, bytes) ? 0 : -1;
}
