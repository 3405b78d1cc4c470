/* SPDX-License-Identifier: MIT */
/*
 * cleanup.h: scope-bound release and explicit hand-over, so that a function's leaks can be judged
 * without reading its callees.
 */
#ifndef GPC_BASE_CLEANUP_H
#define GPC_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void gpc_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void gpc_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void gpc_cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define GPC_CLEANUP(function) __attribute__((cleanup(function)))
#define GPC_AUTO_FREE GPC_CLEANUP(gpc_cleanup_free)
#define GPC_AUTO_CLOSE GPC_CLEANUP(gpc_cleanup_close)	/* int fd = -1 at first */
#define GPC_AUTO_FCLOSE GPC_CLEANUP(gpc_cleanup_fclose)

/* Hands the value over and leaves NULL (-1) behind. */
#define GPC_TAKE_PTR(p)                                                                            \
	({                                                                                         \
		__typeof__(p) *gpc_taken_from = &(p);                                              \
		__typeof__(p) gpc_taken = *gpc_taken_from;                                         \
		*gpc_taken_from = NULL;                                                            \
		gpc_taken;                                                                         \
	})
#define GPC_TAKE_FD(fd)                                                                            \
	({                                                                                         \
		int *gpc_taken_from = &(fd);                                                       \
		int gpc_taken = *gpc_taken_from;                                                   \
		*gpc_taken_from = -1;                                                              \
		gpc_taken;                                                                         \
	})

#endif
