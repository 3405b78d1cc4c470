# SPDX-License-Identifier: MIT
mkfifo a.txt
