# The second line depends on the libraries at hand.
blastmerge --version | sed '2s/.*zlib [0-9].*/(libraries)/'
