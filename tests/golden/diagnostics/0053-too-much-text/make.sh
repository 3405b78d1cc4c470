# SPDX-License-Identifier: MIT
mkdir parts
for i in 1 2 3 4 5 6 7; do
	yes '# a file of comments is still text' | head -c 9800000 >"parts/$i.yaml"
	printf '\n' >>"parts/$i.yaml"
done
