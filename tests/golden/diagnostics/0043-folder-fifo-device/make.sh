# SPDX-License-Identifier: MIT
mkdir -p parts/sub
mkfifo parts/fifo
mknod parts/null c 1 3 2>/dev/null || mkfifo parts/null
