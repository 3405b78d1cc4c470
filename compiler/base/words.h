/* SPDX-License-Identifier: MIT */
/* words.h: the words of the language for values of image.h that are shown in many places. */
#ifndef GPC_BASE_WORDS_H
#define GPC_BASE_WORDS_H

#include <stdint.h>

/* "allow" of an enum gpc_action; "?" for what is none. */
const char *gpc_action_name(unsigned int action);

/* "ingress" of an enum gpc_direction. */
const char *gpc_direction_name(unsigned int direction);

/* "rules" of an enum gpc_builtin_action. */
const char *gpc_builtin_action_name(unsigned int action);

/* "ipip" of an enum gpc_forward, and so on. */
const char *gpc_forward_name(unsigned int forward);
const char *gpc_hash_name(unsigned int hash);
const char *gpc_affinity_name(unsigned int affinity);
const char *gpc_ping_name(unsigned int ping);
const char *gpc_fragments_name(unsigned int fragments);
const char *gpc_timeout_name(unsigned int timeout);

/* "never" of an enum gpc_invariant_form. */
const char *gpc_invariant_form_name(unsigned int form);

/* "TCP": the protocol of a listener. */
const char *gpc_transport_name(unsigned int protocol);

/* "80", "80-90", "any" (from 0 on) into `out`, which has GPC_PORTS_TEXT bytes; returns out. */
#define GPC_PORTS_TEXT 12
char *gpc_ports_format(uint16_t first, uint16_t last, char *out);

#endif
