# SPDX-License-Identifier: MIT
cp -r "$TOP/examples/overlap/." .
