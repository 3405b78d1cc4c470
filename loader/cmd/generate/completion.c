/* SPDX-License-Identifier: MIT */
/* completion SHELL: writes docs/gpc.bash and its like from the command table. */
#include "loader/cmd/completion.h"

int main(int argc, char **argv)
{
	if (argc != 2 || !gpc_completion_print(argv[1], stdout))
		return 1;
	return fflush(stdout) || ferror(stdout);
}
