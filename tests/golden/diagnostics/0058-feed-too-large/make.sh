# SPDX-License-Identifier: MIT
truncate -s 67108865 a.txt
