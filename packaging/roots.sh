# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the scripts share that do the README's lines in bare Debian roots. They run in the repository's folder, and say where the roots
# are ($room). At their end they call `end_roots`.

server=

end_roots() {
    [ -z "$server" ] || kill "$server"
    rm -rf "$room"
}

# make_root NAME: a bare root, $root, with the project's real results in /data, and an ordinary user, tester
make_root() {
    root=$room/$1
    if [ ! -d "$room/base" ]; then
        # shellcheck source=/dev/null
        suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
        mmdebstrap --mode=root --quiet --variant=minbase --include=ca-certificates "$suite" "$room/base" \
            "deb http://deb.debian.org/debian $suite main"
        # The base system's dpkg leaves manual pages out where these say so.
        rm -f "$room/base/etc/dpkg/dpkg.cfg.d/docker" "$room/base/etc/dpkg/dpkg.cfg.d/excludes"
        cp /etc/resolv.conf "$room/base/etc"
        cp -R tests/data "$room/base/data"
        chroot "$room/base" useradd --create-home tester
    fi
    cp -a "$room/base" "$root"
}

# as USER COMMANDS: in the root
as() {
    chroot --userspec="$1" "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/tester \
        DEBIAN_FRONTEND=noninteractive sh -euc "$2"
}

# line BEGINNING [FILE]: the only command of the README that begins so, without sudo and comment, with this machine's names; else a
# command that fails
line() {
    page=${2-README.md}
    awk -v beginning="    $1" 'index($0, beginning) == 1 { sub(/ +# .*/, ""); gsub(/sudo /, ""); line = $0; n++ }
        END { print n == 1 ? line : "echo " FILENAME " has not one line of this beginning: \"" beginning "\" >&2; exit 1" }' "$page" |
        sed "s/x86_64/$(uname -m)/g; s/amd64/$(dpkg --print-architecture)/g"
}

# Recommended packages may stand in for what a list forgot.
quietly='apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends'

# install BEGINNING: that command, without apt's questions and talk
install() {
    line "$1" | sed "s/apt install/$quietly/; s,$, >/dev/null,"
}

# merges PROGRAM: commands that merge the results of /data, as the unsplit search has them
merges() {
    echo "gzip -dc /data/whole.xml.gz >/tmp/whole.xml
        $1 --as-unsplit --sort natural -o /tmp/merged.xml.gz /data/batch_*.xml.gz
        gzip -dc /tmp/merged.xml.gz | cmp - /tmp/whole.xml; rm /tmp/merged.xml.gz"
}

# serve: a web server of these results, at $port on 127.0.0.1
serve() {
    python3 -u -m http.server --bind 127.0.0.1 --directory tests/data 0 >"$room/server.log" 2>&1 &
    server=$! port=
    while [ -z "$port" ] && kill -0 "$server"; do
        sleep 0.2
        port=$(sed -n 's/^Serving HTTP .* port \([0-9]*\) .*/\1/p' "$room/server.log")
    done
}

# merges_remote PROGRAM: the same from there
merges_remote() {
    echo "$1 --as-unsplit -o /tmp/remote.xml.gz $(for n in 1 2 3; do printf 'http://127.0.0.1:%s/batch_%s.xml.gz ' "$port" $n; done)
        gzip -dc /tmp/remote.xml.gz | cmp - /tmp/whole.xml; rm /tmp/remote.xml.gz"
}

# helps: commands that look for the manual page and the completions of bash, as a user meets them
helps() {
    echo "man --pager=cat blastmerge | grep -q -e --as-unsplit
        bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader blastmerge; complete -p blastmerge' >/dev/null"
}

# removed FOLDER: nothing is left there
removed() {
    if find "$root/$1" -not -type d -name '*blastmerge*' | grep .; then exit 1; fi
}
