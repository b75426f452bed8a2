# Not run here: its form only was looked at. sha256: the release's SHA256SUMS.
class Blastmerge < Formula
  desc "Merge the results of a split BLAST search into the one result of the whole search"
  homepage "https://github.com/blastmerge/blastmerge"
  url "https://github.com/blastmerge/blastmerge/archive/refs/tags/v0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "MIT"

  depends_on "cmake" => :build
  depends_on "pkgconf" => :build
  depends_on "jansson"
  depends_on "libdeflate"
  depends_on "lz4"
  depends_on "openssl@3"
  depends_on "xz"
  depends_on "zstd"

  uses_from_macos "bzip2"
  uses_from_macos "curl"
  uses_from_macos "sqlite"
  uses_from_macos "zlib"

  def install
    system "cmake", "-S", ".", "-B", "build", "-DBLASTMERGE_CLOUD=linked", "-DBLASTMERGE_SQLITE=linked",
           "-DBLASTMERGE_DECOMPRESS=linked", *std_cmake_args
    system "cmake", "--build", "build"
    system "cmake", "--install", "build"
    pkgshare.install "tests/data/batch_1.xml.gz", "tests/data/batch_2.xml.gz"
  end

  test do
    children = %w[1 2].map { |n| pkgshare/"batch_#{n}.xml.gz" }
    system bin/"blastmerge", "-o", "merged.xml.gz", *children
    system bin/"blastmerge", "check", "merged.xml.gz"
  end
end
