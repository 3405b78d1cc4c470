# SPDX-License-Identifier: MIT
mkdir parts
: >"$(printf 'parts/\033[31mred.yaml')"
: >"$(printf 'parts/\377.yaml')"
