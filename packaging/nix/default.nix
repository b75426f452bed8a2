# SPDX-License-Identifier: MIT
# blastmerge for Nix: nix-build packaging/nix. Not run here: no Nix was at hand.
{ pkgs ? import <nixpkgs> { } }:

pkgs.stdenv.mkDerivation {
  pname = "blastmerge";
  version = "0.1.0";
  src = ../..;

  nativeBuildInputs = [ pkgs.cmake pkgs.pkg-config ];
  buildInputs = [ pkgs.bzip2 pkgs.curl pkgs.jansson pkgs.libdeflate pkgs.lz4 pkgs.openssl pkgs.sqlite pkgs.xz pkgs.zlib pkgs.zstd ];
  # Nix has no place where a library could be found at run time, so all are linked.
  cmakeFlags = [ "-DBLASTMERGE_CLOUD=linked" "-DBLASTMERGE_SQLITE=linked" "-DBLASTMERGE_DECOMPRESS=linked" ];

  doInstallCheck = true;
  installCheckPhase = ''
    $out/bin/blastmerge $src/tests/data/batch_*.xml.gz | gzip -t
  '';

  meta = {
    description = "Merge the results of a split BLAST search into the one result of the whole search";
    license = pkgs.lib.licenses.mit;
    platforms = pkgs.lib.platforms.unix;
    mainProgram = "blastmerge";
  };
}
