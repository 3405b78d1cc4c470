/* SPDX-License-Identifier: MIT */
/*
 * tree_files.h: a provider over a folder of a git tree, so that what stood in a commit is compiled
 * without a checkout. Symbolic links are refused as on disk; git keeps no empty folders, so those are
 * missing. Private to loader/history.
 */
#ifndef GPC_LOADER_HISTORY_TREE_FILES_H
#define GPC_LOADER_HISTORY_TREE_FILES_H

#include "../../compiler/base/provider.h"
#include "git.h"

struct gpc_tree_files {
	git_repository *repo;
	git_tree *tree;
};

/* `files`, its repository and its tree outlive the provider. */
struct gpc_provider gpc_tree_files_provider(struct gpc_tree_files *files);

#endif
