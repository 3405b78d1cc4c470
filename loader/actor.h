/* SPDX-License-Identifier: MIT */
/* actor.h: who runs this gpc, as histories and journals say it: the user behind sudo, else the user. */
#ifndef GPC_LOADER_ACTOR_H
#define GPC_LOADER_ACTOR_H

/* Never NULL; not safe for a terminal before it is escaped. */
const char *gpc_actor(void);

#endif
