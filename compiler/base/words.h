/* SPDX-License-Identifier: MIT */
/* words.h: the words of the language for values of image.h that are shown in many places. */
#ifndef GPC_BASE_WORDS_H
#define GPC_BASE_WORDS_H

/* "allow" of an enum gpc_action; "?" for what is none. */
const char *gpc_action_name(unsigned int action);

/* "ingress" of an enum gpc_direction. */
const char *gpc_direction_name(unsigned int direction);

/* "rules" of an enum gpc_builtin_action. */
const char *gpc_builtin_action_name(unsigned int action);

#endif
