# A name cannot move the cursor or fake a line.
name=$(printf 'a\033[2J\nblastmerge: all is well')
child "$name" 1 1
blastmerge check "$name"
printf x >>"$name"
blastmerge check "$name"
