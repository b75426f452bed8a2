#!/bin/sh
# SPDX-License-Identifier: MIT
# The list of what a build is made of is whole: each library of it is in README's table, and the other way round.
#
#     tests/tool/sbom.sh BUILD-FOLDER PYTHON
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
list=$(mktemp)
trap 'rm -f "$list"' EXIT

"$2" "$top/scripts/sbom" "$1" >"$list"
"$2" - "$list" "$top/README.md" <<'END'
import json
import re
import sys

made = json.load(open(sys.argv[1]))
assert made["bomFormat"] == "CycloneDX" and made["metadata"]["component"]["name"] == "blastmerge"
for part in made["components"]:
    assert re.match(r"\d+\.\d+", part["version"]) and part["licenses"] and part["purl"].endswith("@" + part["version"]), part
listed = {part["name"] for part in made["components"]}
rows = re.findall(r"^\| ((?:zlib|lib\w+|jansson)[^|(]*)", open(sys.argv[2]).read(), re.MULTILINE)
told = {name.strip().lower().replace("libcurl", "curl").replace("libsqlite3", "sqlite") for row in rows for name in row.split(",")}
optional = {"curl", "openssl", "sqlite", "libzstd", "liblzma", "libbz2", "liblz4"}
assert told - optional <= listed <= told, (listed, told)
assert listed == {ref.split("/")[1].split("@")[0] for ref in made["dependencies"][0]["dependsOn"]}
END
