# SPDX-License-Identifier: MIT
# examples/templates/NAME/PATH... -> {"NAME", "PATH", "text"}, for each; the licence line is of this
# tree, not of what an author makes from it.
FNR == 1 {
	if (NR > 1)
		print "\t},"
	name = FILENAME
	sub(/^examples\/templates\//, "", name)
	path = name
	sub(/\/.*/, "", name)
	sub(/^[^\/]*\//, "", path)
	printf "\t{\"%s\", \"%s\",\n", name, path
	if (/^# SPDX-License-Identifier:/)
		next
}
{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	printf "\t \"%s\\n\"\n", $0
}
END {
	print "\t},"
}
