# A name cannot move the cursor or fake a line.
name=$(printf 'a\033[2J\nblastmerge: all is well')
text 1 1 >"$name"
blastmerge check "$name"
echo x >>"$name"
blastmerge check "$name"
