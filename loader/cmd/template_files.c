/* SPDX-License-Identifier: MIT */
#include "template.h"

/* Written by commands.mk from examples/templates. */
const struct gpc_template_file gpc_template_files[] = {
#include "template_files.inc"
};
const size_t gpc_template_file_count = sizeof(gpc_template_files) / sizeof(gpc_template_files[0]);
