#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Writes the output of benchmarks (FILE, `name value` lines) into the tables of docs/PERFORMANCE.md, between
# their marks. Figures of a part (what stands before the first dot) replace all of that part, other parts
# stay as they are; so of a part all is to be in the file.
#
#   make -s bench >build/bench.txt && tests/bench/figures.sh build/bench.txt
set -euo pipefail
figures=$(realpath "$1")
cd "$(dirname "$0")/../.."
document=docs/PERFORMANCE.md
for mark in katran figures; do
	grep -q "^<!-- $mark -->\$" "$document" && grep -q "^<!-- end of $mark -->\$" "$document"
done
grep -qE '^[a-z]+\.[a-z0-9_.]+ [0-9.]+$' "$figures"

# The document's figures as `name value`, those of FILE instead of theirs.
merged() {
	sed -n '/^<!-- figures -->$/,/^<!-- end of figures -->$/p' "$document" |
		awk -v FS='[`| ]+' '/^\| `/ {print $2, $3}' | awk '
		function part(name) {return substr(name, 1, index(name, ".") - 1)}
		FNR == NR {if (NF == 2) {n = part($1); if (!(n in fresh)) order[++parts] = n; fresh[n] = fresh[n] $0 "\n"} next}
		{n = part($1)}
		!(n in fresh) {print}
		n in fresh && !(n in done) {printf "%s", fresh[n]; done[n] = 1}
		END {for (i = 1; i <= parts; i++) if (!(order[i] in done)) printf "%s", fresh[order[i]]}' "$figures" -
}

katran_table() {
	echo "| figure | gpc | Katran | ratio | Katran, scaled | ratio | wanted | reached |"
	echo "|---|---|---|---|---|---|---|---|"
	awk 'FNR == NR {value[$1] = $2; next}
	/^#/ {next}
	!($1 in value) {printf "| `%s` | not measured | %s | | <= %s | | | |\n", $1, $2, $4; next}
	{
		range = $2 == $3 ? $2 : $2 "-" $3
		ratio = value[$1] / $2
		scaled = NF == 7 && $6 in value ? $5 + ($2 - $5) * value[$6] / $7 : 0
		like = scaled ? value[$1] / scaled : ratio
		printf "| `%s` | %.0f | %s | %.2f | %s | %s | <= %s | %s |\n", $1, value[$1], range, ratio,
			scaled ? sprintf("%.0f", scaled) : "", scaled ? sprintf("%.2f", like) : "", $4,
			(like > $4 ? "**no**" : ratio > $4 ? "scaled" : "yes")
	}' "$1" tests/bench/katran.txt
}

figure_table() {
	echo "$(nproc) CPUs, Linux $(uname -r | grep -oE '^[0-9]+\.[0-9]+'), $(clang --version | grep -oE 'clang version [0-9]+' | head -n 1)."
	echo
	echo "| figure | value |"
	echo "|---|---|"
	awk '{printf "| `%s` | %s |\n", $1, $2}' "$1"
}

# MARK FILE: the document with the table between its marks.
with_table() {
	sed "/^<!-- $1 -->\$/q" "$document"
	echo
	cat "$2"
	echo
	sed -n "/^<!-- end of $1 -->\$/,\$p" "$document"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
merged >"$work/merged"
for mark in katran figures; do
	if [ "$mark" = katran ]; then katran_table "$work/merged"; else figure_table "$work/merged"; fi >"$work/$mark"
	with_table "$mark" "$work/$mark" >"$document.tmp"
	mv "$document.tmp" "$document"
done
