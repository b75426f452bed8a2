# SPDX-License-Identifier: MIT
# blastmerge for Nix: nix-build packaging/nix. Not run here: no Nix was at hand.
{ pkgs ? import <nixpkgs> { } }:

pkgs.stdenv.mkDerivation {
  pname = "blastmerge";
  version = "0.1.0";
  src = ../..;

  nativeBuildInputs = [ pkgs.cmake pkgs.pkg-config ];
  buildInputs = [ pkgs.zlib pkgs.libdeflate pkgs.jansson pkgs.curl pkgs.openssl pkgs.sqlite ];
  # Nix has no place where a library could be found at run time, so object storage and SQLite are linked, and other compressions left out.
  cmakeFlags = [ "-DBLASTMERGE_CLOUD=linked" "-DBLASTMERGE_SQLITE=linked" "-DBLASTMERGE_DECOMPRESS=OFF" ];

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
