#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gpc blame, bisect and matrix: whose rule decides a packet, since when, in a source repository and in the
# history of a host; what is let through from segment to segment, in every form.
. "$(dirname "$0")/rig.bash"

root=$WORK/project
mkdir -p "$root/prod"
cd "$root/prod" || exit 1
export GIT_CONFIG_NOSYSTEM=1 HOME=$WORK NO_COLOR=1 TZ=UTC
PACKET='tcp 10.1.0.5:40000 -> 10.2.0.7:22'

write() { # SSH-ACTION WEB-PORTS
	cat >gpc.yaml <<END
apiVersion: gpc/v1
kind: Plane
metadata: {name: "prod"}
defaults: {on-fail: pass}
interfaces: [{name: lan0, hooks: [xdp, tc-egress]}]
segments:
  - {name: office, cidrs: [10.1.0.0/16, "2001:db8:1::/48"]}
  - {name: servers, cidrs: [10.2.0.0/16]}
  - {name: db, cidrs: [10.2.9.0/24]}
rules:
  - {name: no-db, action: deny, from: office, to: db, ports: [tcp/22]}
  - {name: ssh, action: $1, from: office, to: servers, ports: [tcp/22]}
  - {name: web, action: allow, from: office, to: servers, ports: [$2]}
  - {name: into, action: allow, from: servers, to: db}
policies:
  - {name: seg, interfaces: [lan0], direction: ingress, rules: [no-db, ssh, web, into]}
END
}
commit() { # AUTHOR DATE SUBJECT
	git add -A &&
		GIT_AUTHOR_NAME=$1 GIT_AUTHOR_EMAIL=$1@example.net GIT_AUTHOR_DATE=$2 GIT_COMMITTER_NAME=$1 \
			GIT_COMMITTER_EMAIL=$1@example.net GIT_COMMITTER_DATE=$2 git commit -qm "$3"
	git rev-parse HEAD
}
must git init -q -b main ..
write allow tcp/80
first=$(commit ann 2026-01-01T10:00:00Z "let the office in")
write allow tcp/443
second=$(commit bob 2026-01-02T10:00:00Z "https")
echo "  - {" >>gpc.yaml
broken=$(commit bob 2026-01-03T10:00:00Z "half a line")
write deny tcp/443
closed=$(commit cid 2026-01-04T10:00:00Z "no ssh")
write deny tcp/8443
commit ann 2026-01-05T10:00:00Z "another port" >/dev/null

# ---- blame ----
check "the line that decides" "$GPC" blame "$PACKET"
cp "$WORK/out" "$WORK/said"
check "its commit, author and date" diff "$WORK/said" - <<END
packet    $PACKET, in by lan0
verdict   deny, by seg/ssh
rule      gpc.yaml:12:5
  commit  ${closed:0:12}  cid <cid@example.net>  2026-01-04 10:00:00Z
          no ssh
policy    gpc.yaml:16:5
  commit  ${first:0:12}  ann <ann@example.net>  2026-01-01 10:00:00Z
          let the office in
END
check "of an old commit" "$GPC" blame "$PACKET" main~3
check_said "as it was then" "commit  ${first:0:12}"
sed -i 's/action: deny, from: office, to: servers/action: reject, from: office, to: servers/' gpc.yaml
check "a line that is not committed" "$GPC" blame "$PACKET"
check_said "says so" "commit  unknown: not committed yet"
check_said "the rest is known" "commit  ${first:0:12}"
check "as JSON" "$GPC" blame --json "$PACKET" main
check_said "with the commit" "\"what\":\"rule\",\"file\":\"gpc.yaml\",\"line\":12,\"column\":5,\"commit\":\"$closed\""
git checkout -q gpc.yaml
must "$GPC" compile -f gpc.yaml -o "$WORK/now.gpi"
check "of an image" "$GPC" blame "$PACKET" "$WORK/now.gpi"
check_said "by the commit that it names" "commit  ${closed:0:12}"
check "nobody's packet" "$GPC" blame 'tcp 9.9.9.9:1 -> 9.9.9.8:2' main
check_said "is the default's, with the line of its policy" "policy    gpc.yaml:16:5"
check_exit "no packet is exit 3" 3 "$GPC" blame 'tcp nonsense'
mkdir "$WORK/bare" && cp gpc.yaml "$WORK/bare/"
check "without a repository" "$GPC" blame "$PACKET" "$WORK/bare/gpc.yaml"
check_said "only the place is known" "commit  unknown: its sources lie in no repository that can be read from here"


# ---- a rule of several lines, and a clone that does not reach back ----
lines=$WORK/lines
must git init -q -b main "$lines"
cd "$lines" || exit 1
write allow tcp/80
sed -i 's/^  - {name: ssh, action: allow, from: office, to: servers, ports: \[tcp\/22\]}/  - name: ssh\n    action: allow\n    from: office\n    # where to\n    to: db\n    ports: [tcp\/22]/' gpc.yaml
first=$(commit ann 2026-01-01T10:00:00Z "the rule")
sed -i 's/^    to: db/    to: servers/' gpc.yaml
second=$(commit bob 2026-01-02T10:00:00Z "its target")
sed -i 's/where to/to whom/; s/prod/lines/' gpc.yaml
commit cid 2026-01-03T10:00:00Z "a comment" >/dev/null
check "a rule of several lines" "$GPC" blame -v "$PACKET"
sed -n '/^rule/,/^policy/p' "$WORK/out" | sed '$d' >"$WORK/said"
check "is by the last who wrote one of them, and -v names all" diff "$WORK/said" - <<END
rule      gpc.yaml:12:5
  commit  ${second:0:12}  bob <bob@example.net>  2026-01-02 10:00:00Z
          its target
          line 16
  line 12    ${first:0:12}  ann <ann@example.net>  2026-01-01 10:00:00Z  the rule
  line 13    ${first:0:12}  ann <ann@example.net>  2026-01-01 10:00:00Z  the rule
  line 14    ${first:0:12}  ann <ann@example.net>  2026-01-01 10:00:00Z  the rule
  line 16    ${second:0:12}  bob <bob@example.net>  2026-01-02 10:00:00Z  its target
  line 17    ${first:0:12}  ann <ann@example.net>  2026-01-01 10:00:00Z  the rule
END
must "$GPC" compile -f gpc.yaml -o "$WORK/lines.gpi"
check "of its image" "$GPC" blame --json "$PACKET" "$WORK/lines.gpi"
check_said "too" "\"line\":12,\"column\":5,\"commit\":\"$second\""
sed -i '1i # a line more\n# and another' gpc.yaml
check "what lines above it became" "$GPC" blame "$PACKET"
check_said "changes nothing about it" "commit  ${second:0:12}  bob"
sed -i 's/^    ports: \[tcp\/22\]/    ports: [tcp\/22, tcp\/23]/' gpc.yaml
check "a changed line behind its first" "$GPC" blame "$PACKET"
check_said "makes it not committed" "commit  unknown: not committed yet"
check_said "and is named" "          line 19"
must git clone -q --depth 1 "file://$lines" "$WORK/shallow"
cd "$WORK/shallow" || exit 1
check "in a shallow clone" "$GPC" blame "$PACKET"
check_said "it says how far it sees" "commit  unknown: in or before $(git rev-parse --short=12 HEAD), where this shallow clone ends"
check_said "and what helps" "next: git fetch --unshallow"
must git fetch -q --depth 2
check "with one commit more" "$GPC" blame "$PACKET"
check_said "the cut is another" "in or before ${second:0:12}, where"
check_exit "bisect there is exit 3" 3 "$GPC" bisect "$PACKET" --good "$first"
check_said "and says what helps" "next: git fetch --unshallow"
check_exit "past the cut too" 3 "$GPC" bisect "$PACKET" --good HEAD~2
check_said "and says so" "next: git fetch --unshallow"
must git fetch -q --unshallow
check "with all of them" "$GPC" blame "$PACKET"
check_said "it is known" "commit  ${second:0:12}  bob"
cd "$root/prod" || exit 1
first=$(git rev-parse main~4)
second=$(git rev-parse main~3)

# ---- bisect ----
check "since when" "$GPC" bisect "$PACKET" --good "$first"
cp "$WORK/out" "$WORK/said"
check "author, date, both rules, and what it could not judge" diff "$WORK/said" - <<END
gpc bisect: note: commit ${broken:0:12} is passed over: it does not compile
packet  $PACKET
first   commit ${closed:0:12}
        cid <cid@example.net>  2026-01-04 10:00:00Z
        no ssh
        or one of the 1 before it, which do not compile
before  commit ${second:0:12}: let through, by seg/ssh  gpc.yaml:12:5
since   commit ${closed:0:12}: deny, by seg/ssh  gpc.yaml:12:5
END
check "as JSON" "$GPC" bisect --json "$PACKET" --good main~4 --bad main~1
check_said "too" "\"first\":{\"type\":\"revision\",\"commit\":\"$closed\""
check_exit "nothing changed is exit 3" 3 "$GPC" bisect "$PACKET" --good main~1
check_said "and says so" "both say: deny"
check_exit "a good one that is no ancestor is exit 3" 3 "$GPC" bisect "$PACKET" --good main --bad main~1
check_exit "without --good exit 64" 64 "$GPC" bisect "$PACKET"

# ---- matrix ----
check "the matrix" "$GPC" matrix "$WORK/now.gpi"
cp "$WORK/out" "$WORK/said"
check "what is let through" diff <(sed "s/ *$//" "$WORK/said") - <<'END'
prod, arriving by lan0: what is let through, from the left to the top
           db        office  servers     (other)
  db       all       none    partly any  none
  office   tcp/8443  none    tcp/8443    none
  servers  all       none    partly any  none
  (other)  none      none    none        none
END
check "as CSV" "$GPC" matrix --format csv "$WORK/now.gpi"
check_said "each cell a row" '"office","servers","tcp/8443"'
check "as Mermaid" "$GPC" matrix --format mermaid "$WORK/now.gpi"
cp "$WORK/out" "$WORK/said"
check "edges, dotted where only partly" diff "$WORK/said" - <<'END'
flowchart LR
  s0["db"]
  s1["office"]
  s2["servers"]
  s3["(other)"]
  s0 -->|"all"| s0
  s0 -.->|"partly any"| s2
  s1 -->|"tcp/8443"| s0
  s1 -->|"tcp/8443"| s2
  s2 -->|"all"| s0
  s2 -.->|"partly any"| s2
END
"$GPC" matrix --format html "$WORK/now.gpi" >"$WORK/matrix.html"
check "HTML: whole, and loads nothing" /usr/bin/python3 - "$WORK/matrix.html" <<'END'
import html.parser, sys
class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.cells, self.bad = [], 0, []
    def handle_starttag(self, tag, attributes):
        if tag != "meta":
            self.open.append(tag)
        self.cells += tag == "td"
        self.bad += [name for name, _ in attributes if name in ("src", "href") or name.startswith("on")]
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
text = open(sys.argv[1]).read()
reader = Reader()
reader.feed(text)
assert not reader.open and not reader.bad and reader.cells == 16, (reader.open, reader.bad, reader.cells)
assert "url(" not in text and "@import" not in text and "prefers-color-scheme:dark" in text
END
check "as JSON" "$GPC" matrix --json "$WORK/now.gpi"
check_said "what passes partly" '"from":"servers","to":"servers","says":"some","partly":"any"'
check_exit "a form that there is not is exit 64" 64 "$GPC" matrix --format pdf "$WORK/now.gpi"
check_exit "an interface that there is not is exit 64" 64 "$GPC" matrix --in eth9 "$WORK/now.gpi"

# ---- the history of a host ----
rig_up 0
for step in "allow tcp/80" "allow tcp/443" "deny tcp/443" "deny tcp/8443"; do
	# shellcheck disable=SC2086
	write $step
	sed -i 's/name: lan0/name: wan0, mode: any/; s/lan0/wan0/' gpc.yaml
	must gpc balancer apply gpc.yaml
done
check "over generations" gpc balancer bisect --json "$PACKET" --good 1
check_said "the first that denies" '"first":{"type":"generation","generation":3'
check_said "after the last that did not" '"before":{"type":"generation","generation":2'
check "of a generation" gpc balancer blame "$PACKET" 4
check_said "since when its line is what it is" "since   generation 3 "
check_said "each line by itself" "since   generation 1 "
check "of what runs" gpc balancer blame "$PACKET" live
check_said "which only audits" "would     deny, by seg/ssh in audit"
check_exit "a generation that there is not is exit 3" 3 gpc balancer bisect "$PACKET" --good 9
rig_done
