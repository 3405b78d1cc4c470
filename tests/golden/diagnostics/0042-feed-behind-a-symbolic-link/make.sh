# SPDX-License-Identifier: MIT
mkdir feeds
ln -s ../real/a.txt feeds/a.txt
ln -s real there
