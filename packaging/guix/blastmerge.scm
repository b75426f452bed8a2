;; Not run here. The hash is that of the release's source archive: `guix hash`.
(use-modules (guix packages)
             (guix git-download)
             (guix build-system cmake)
             ((guix licenses) #:prefix license:)
             (gnu packages compression)
             (gnu packages curl)
             (gnu packages pkg-config)
             (gnu packages tls)
             (gnu packages sqlite)
             (gnu packages web))

(package
  (name "blastmerge")
  (version "0.1.0")
  (source
   (origin
     (method git-fetch)
     (uri (git-reference
           (url "https://github.com/blastmerge/blastmerge")
           (commit (string-append "v" version))))
     (file-name (git-file-name name version))
     (sha256 (base32 "0000000000000000000000000000000000000000000000000000"))))
  (build-system cmake-build-system)
  (arguments
   '(#:configure-flags '("-DBLASTMERGE_CLOUD=linked" "-DBLASTMERGE_SQLITE=linked"
                          "-DBLASTMERGE_DECOMPRESS=linked")
     #:phases
     (modify-phases %standard-phases
       (replace 'check
         (lambda _
           (invoke "../source/tests/golden/run" "./blastmerge"))))))
  (native-inputs (list pkg-config))
  (inputs (list bzip2 curl jansson libdeflate lz4 openssl sqlite xz zlib `(,zstd "lib")))
  (home-page "https://github.com/blastmerge/blastmerge")
  (synopsis "Merge the results of a split BLAST search")
  (description
   "A BLAST search over many queries is often run as many smaller searches, each
of which leaves a result of its own.  Blastmerge makes the one result that an
unsplit search would have written, without compressing again.")
  (license license:expat))
