/* SPDX-License-Identifier: MIT */
/*
 * Describes a text that cannot be merged: what it looks like, how it begins, and what to do about it.
 *
 * A merge is given files of all kinds. To save opening the file, the message names its kind, as far as the
 * first bytes show it, quotes these bytes, and says what would help.
 */
#include "decompress/decompress.h"
#include "mark/door.h"
#include "mark/table/table.h"

#include <stdio.h>
#include <string.h>

enum { MOST_SHOWN = 60 };

/* How sure a look is: text that begins so can still be a table's row, if it has fields; and a row's fields can hold the
 * phrase. */
enum sureness { SURE, UNLESS_IT_HAS_FIELDS, UNLESS_IN_FIELDS };

struct look {
    const char *magic;
    uint8_t n_magic;
    uint8_t sureness;
    bool is_message; /* which may stand in front of a result */
    const char *what;
};

#define BYTES(magic) magic, sizeof(magic) - 1
#define TEXTUAL      UNLESS_IT_HAS_FIELDS
#define PHRASE       UNLESS_IN_FIELDS

/* clang-format off */
/* What they are, and what to do. */
#define UTF_16LE  "UTF-16, little end first, which is not supported; convert it to UTF-8"
#define UTF_16BE  "UTF-16, big end first, which is not supported; convert it to UTF-8"
#define FASTA     "output of FASTA's programs, of which tables without comments are merged: search with -m 8"
#define EXCEL     "a spreadsheet's line that names the separator (sep=), before a table; remove the line"
#define PLAIN     "a plain BLAST report (-outfmt 0 to 4), which is not merged; search with -outfmt 5, 6, 7 or 15"
#define ASN1      "BLAST's ASN.1 (-outfmt 8 or 9), which is not merged; search with -outfmt 5 or 15"
#define BINARY    "a BLAST archive in binary ASN.1, which is not merged; blast_formatter -archive FILE -outfmt 11 writes it as text"
#define SAM       "SAM (-outfmt 17), which samtools merges"
#define HMMER     "HMMER's output, which is not merged"
#define RAPSEARCH "RAPSearch2's table, whose comments are not merged; remove the lines that begin with '#'"
#define ZSTD      "Zstandard data; decompress it first (zstd -d)"
#define LZ4       "LZ4 data; decompress it first (lz4 -d)"
#define HTML      "HTML: a web page, perhaps a server's message, instead of results"
#define XML       "XML; without --format, it is checked whether it is BLAST's"
#define JSON      "JSON; without --format, it is checked whether it is BLAST's"
#define FAILED    "a message of BLAST: the search has failed; repeat it"
#define BLASTS    "a message of BLAST"
#define PROGRAMS  "a program's message; repeat the search"
#define BATCH     "a batch system's message; repeat the search"
#define SHELLS    "a shell's message; repeat the search"

static const struct look looks[] = {
    {BYTES("\xff\xfe\0\0"), SURE, false, "UTF-32, little end first, which is not supported; convert it to UTF-8"},
    {BYTES("\xff\xfe"), SURE, false, UTF_16LE},
    {BYTES("\xfe\xff"), SURE, false, UTF_16BE},
    {BYTES("\0\0\xfe\xff"), SURE, false, "UTF-32, big end first, which is not supported; convert it to UTF-8"},
    {BYTES("\0\0\0<"), SURE, false, "UTF-32, big end first, which is not supported; convert it to UTF-8"},
    {BYTES("\0<"), SURE, false, UTF_16BE},
    {BYTES("\0"), SURE, false, "zero bytes (NUL): space that was reserved but never written, or that the disk has lost; make the file again"},
    {BYTES("\x4c\x6f\xa7\x94"), SURE, false, "EBCDIC, which is not supported; convert it to UTF-8"},
    /* compressed, and archives */
    {BYTES("\x1f\x8b"), SURE, false, "gzip data inside gzip data; decompress it once (gunzip)"},
    {BYTES("\x1f\x9d"), SURE, false, "data of compress (.Z); decompress it first (uncompress, or gzip -d)"},
    {BYTES("\x1f\xa0"), SURE, false, "data of compress (.z); decompress it first (gzip -d)"},
    {BYTES("BZh"), SURE, false, "bzip2 data; decompress it first (bunzip2)"},
    {BYTES("\xfd" "7zXZ"), SURE, false, "xz data; decompress it first (unxz)"},
    {BYTES("\x5d\0\0"), SURE, false, "LZMA data; decompress it first (unlzma, or xz -d)"},
    {BYTES("LZIP"), SURE, false, "lzip data; decompress it first (lzip -d)"},
    {BYTES("\x89LZO"), SURE, false, "lzop data; decompress it first (lzop -d)"},
    {BYTES("\x04\x22\x4d\x18"), SURE, false, LZ4},
    {BYTES("\x02\x21\x4c\x18"), SURE, false, LZ4},
    {BYTES("\x28\xb5\x2f\xfd"), SURE, false, ZSTD},
    {BYTES("\xff\x06\0\0sNaPpY"), SURE, false, "Snappy data; decompress it first"},
    {BYTES("PK\x03\x04"), SURE, false, "a ZIP archive; unpack it first (unzip), or, if it is from BLAST's web pages, download the single-file XML2 or JSON instead"},
    {BYTES("PK\x05\x06"), SURE, false, "a ZIP archive with nothing in it"},
    {BYTES("7z\xbc\xaf\x27\x1c"), SURE, false, "a 7-Zip archive; unpack it first (7z x)"},
    {BYTES("Rar!\x1a"), SURE, false, "a RAR archive; unpack it first (unrar x)"},
    {BYTES("!<arch>"), SURE, false, "an archive of ar; unpack it first (ar x)"},
    /* results in other forms */
    {BYTES("BLASTP "), TEXTUAL, false, PLAIN},
    {BYTES("BLASTN "), TEXTUAL, false, PLAIN},
    {BYTES("BLASTX "), TEXTUAL, false, PLAIN},
    {BYTES("TBLAST"), TEXTUAL, false, PLAIN},
    {BYTES("PSIBLAST"), TEXTUAL, false, PLAIN},
    {BYTES("RPSBLAST"), TEXTUAL, false, PLAIN},
    {BYTES("MEGABLAST"), TEXTUAL, false, PLAIN},
    {BYTES("Tax BLAST report"), SURE, false, "BLAST's report of organisms (-outfmt 18), which is not merged; search with -outfmt 5, 6, 7 or 15"},
    {BYTES("Blast4-archive"), SURE, false, "a BLAST archive (-outfmt 11), which --format archive accepts"},
    {BYTES("Blast4-"), SURE, false, "a message of BLAST's server (ASN.1), which is not merged; search with -outfmt 11, or 5"},
    {BYTES("0\x80\xa0\x80" "0\x80\xa0\x80\x1a"), SURE, false, BINARY},
    {BYTES("Seq-annot"), SURE, false, ASN1},
    {BYTES("0\x80"), SURE, false, ASN1},
    {BYTES("@HD\t"), SURE, false, SAM},
    {BYTES("@SQ\t"), SURE, false, SAM},
    {BYTES("@PG\t"), SURE, false, SAM},
    {BYTES("@RG\t"), SURE, false, SAM},
    {BYTES("@CO\t"), SURE, false, SAM},
    {BYTES("BAM\x01"), SURE, false, "BAM, which samtools merges"},
    {BYTES("CRAM"), TEXTUAL, false, "CRAM, which samtools merges"},
    {BYTES("\x6b\xe3\x3e\x6d\x47\x53\x0e\x3c"), SURE, false, "DIAMOND's archive (DAA), of which diamond view makes a table (-f 6) or BLAST XML (-f 5)"},
    {BYTES("# DIAMOND "), SURE, false, "DIAMOND's table with comments, which are not merged; search with DIAMOND's simple header or none, or remove the lines that begin with '#'"},
    {BYTES("# IGBLAST"), SURE, false, "IgBLAST's table, whose parts are not merged; search with IgBLAST's -outfmt 19, which --format tabular merges"},
    {BYTES("# MAGICBLAST"), SURE, false, "Magic-BLAST's table, whose comments are not merged; remove the lines that begin with '#', and give --format tabular"},
    {BYTES("# RAPSearch"), SURE, false, RAPSEARCH},
    {BYTES("#RAPSearch"), SURE, false, RAPSEARCH},
    {BYTES("# LAST version"), SURE, false, "LAST's output, which is not merged; make a table of it (maf-convert blasttab), and remove the lines that begin with '#'"},
    {BYTES("# Fields: "), SURE, false, "a table with comments of another program than BLAST; remove the lines that begin with '#'"},
    {BYTES("# FASTA "), SURE, false, FASTA},
    {BYTES("# fasta"), SURE, false, FASTA},
    {BYTES("# ssearch"), SURE, false, FASTA},
    {BYTES("# SSEARCH "), SURE, false, FASTA},
    {BYTES("# tfast"), SURE, false, FASTA},
    {BYTES("# ggsearch"), SURE, false, FASTA},
    {BYTES("# glsearch"), SURE, false, FASTA},
    {BYTES("# lalign"), SURE, false, FASTA},
    {BYTES("# STOCKHOLM"), SURE, false, "an alignment (Stockholm), not the results of a search"},
    {BYTES("# hmm"), SURE, false, HMMER},
    {BYTES("# jackhmmer"), SURE, false, HMMER},
    {BYTES("# phmmer"), SURE, false, HMMER},
    {BYTES("# nhmmer"), SURE, false, HMMER},
    {BYTES("# cm"), SURE, false, "Infernal's output, which is not merged"},
    {BYTES("#target name "), TEXTUAL, false, "Infernal's table, which is not merged"},
    {BYTES("# target name "), TEXTUAL, false, "HMMER's table, which is not merged"},
    {BYTES("#  "), TEXTUAL, false, "HMMER's table, or another program's, which is not merged"},
    /* other kinds of files */
    {BYTES("sep=,\n"), SURE, false, EXCEL},
    {BYTES("sep=,\r"), SURE, false, EXCEL},
    {BYTES("sep=;\n"), SURE, false, EXCEL},
    {BYTES("sep=;\r"), SURE, false, EXCEL},
    {BYTES("sep=\t\n"), SURE, false, EXCEL},
    {BYTES("sep=\t\r"), SURE, false, EXCEL},
    {BYTES("##fileformat=VCF"), SURE, false, "VCF (variants, not the results of a search)"},
    {BYTES("##gff-version"), SURE, false, "GFF (annotations, not the results of a search)"},
    {BYTES("##gvf-version"), SURE, false, "GVF (variants, not the results of a search)"},
    {BYTES("##maf version"), SURE, false, "MAF (alignments), which is not merged"},
    {BYTES("#!"), TEXTUAL, false, "a script, not its output"},
    {BYTES("%PDF"), SURE, false, "PDF"},
    {BYTES("\x7f" "ELF"), SURE, false, "a program (ELF), not its output"},
    {BYTES("SQLite format 3"), SURE, false, "a database of SQLite"},
    {BYTES("version https://git-lfs"), SURE, false, "a pointer of Git LFS, not the file itself; fetch it first (git lfs pull)"},
    {BYTES("<!DOCTYPE html"), SURE, false, HTML},
    {BYTES("<!doctype html"), SURE, false, HTML},
    {BYTES("<html"), SURE, false, HTML},
    {BYTES("<HTML"), SURE, false, HTML},
    {BYTES("<?xml"), SURE, false, XML},
    {BYTES("<BlastOutput"), SURE, false, "BLAST XML (-outfmt 5), which --format xml accepts"},
    {BYTES("<BlastXML2"), SURE, false, "BLAST XML2 (-outfmt 16), which --format xml2 accepts"},
    {BYTES("{"), TEXTUAL, false, JSON},
    {BYTES("["), TEXTUAL, false, "JSON that is not BLAST's, which begins with '{' (-outfmt 15)"},
    {BYTES(">"), TEXTUAL, false, "FASTA (sequences, not the results of a search)"},
    {BYTES("@"), TEXTUAL, false, "FASTQ (reads, not the results of a search)"},
    /* messages, in front of a result or instead of one */
    {BYTES("BLAST query/options error"), SURE, true, FAILED},
    {BYTES("BLAST Database error"), SURE, true, FAILED},
    {BYTES("BLAST engine error"), SURE, true, FAILED},
    {BYTES("BLAST query error"), SURE, true, FAILED},
    {BYTES("BLAST error"), SURE, true, FAILED},
    {BYTES("Command line argument error"), SURE, true, FAILED},
    {BYTES("FASTA-Reader:"), SURE, true, BLASTS},
    {BYTES("CFastaReader:"), SURE, true, BLASTS},
    {BYTES("Warning: ["), SURE, true, BLASTS},
    {BYTES("Error: NCBI C++"), SURE, true, FAILED},
    {BYTES("Error: ["), SURE, true, FAILED},
    {BYTES("USAGE\n"), SURE, true, "a program's usage message: the search was not begun; check its command line"},
    {BYTES("Error"), TEXTUAL, true, PROGRAMS},
    {BYTES("ERROR"), TEXTUAL, true, PROGRAMS},
    {BYTES("error:"), TEXTUAL, true, PROGRAMS},
    {BYTES("Fatal error"), TEXTUAL, true, PROGRAMS},
    {BYTES("FATAL"), TEXTUAL, true, PROGRAMS},
    {BYTES("Warning: "), TEXTUAL, true, PROGRAMS},
    {BYTES("WARNING"), TEXTUAL, true, PROGRAMS},
    {BYTES("INFO: "), TEXTUAL, true, PROGRAMS},
    {BYTES("diamond v"), TEXTUAL, true, PROGRAMS},
    {BYTES("docker: "), TEXTUAL, true, PROGRAMS},
    {BYTES("nohup: "), TEXTUAL, true, PROGRAMS},
    {BYTES("slurmstepd: "), SURE, true, BATCH},
    {BYTES("srun: "), SURE, true, BATCH},
    {BYTES("sbatch: "), SURE, true, BATCH},
    {BYTES("Submitted batch job"), SURE, true, BATCH},
    {BYTES("=>> PBS"), SURE, true, BATCH},
    {BYTES("PBS: "), SURE, true, BATCH},
    {BYTES("qsub: "), SURE, true, BATCH},
    {BYTES("Sender: LSF System"), SURE, true, BATCH},
    {BYTES("TERM_"), TEXTUAL, true, BATCH},
    {BYTES("Job <"), TEXTUAL, true, BATCH},
    {BYTES("Killed\n"), SURE, true, SHELLS},
    {BYTES("Terminated\n"), SURE, true, SHELLS},
    {BYTES("Segmentation fault"), SURE, true, SHELLS},
    {BYTES("Aborted"), TEXTUAL, true, SHELLS},
    {BYTES("Bus error"), SURE, true, SHELLS},
    {BYTES("Illegal instruction"), SURE, true, SHELLS},
    {BYTES("bash: "), TEXTUAL, true, SHELLS},
    {BYTES("-bash: "), TEXTUAL, true, SHELLS},
    {BYTES("sh: "), TEXTUAL, true, SHELLS},
    {BYTES("/bin/"), TEXTUAL, true, SHELLS},
    {BYTES("Traceback (most recent call last)"), SURE, true, PROGRAMS},
    {BYTES("Exception in thread"), SURE, true, PROGRAMS},
    {BYTES("terminate called after"), SURE, true, PROGRAMS},
    {BYTES("curl: ("), SURE, true, "a message of curl, not a result: fetch the file again"},
};

/* Likewise, but behind the name of a script or a program, anywhere in the first line. */
static const struct look phrases[] = {
    {BYTES("command not found"), PHRASE, true, SHELLS},
    {BYTES(": not found"), PHRASE, true, SHELLS},
    {BYTES(": Permission denied"), PHRASE, true, SHELLS},
    {BYTES(": No such file or directory"), PHRASE, true, PROGRAMS},
    {BYTES(": No space left on device"), PHRASE, true, PROGRAMS},
    {BYTES(": error while loading shared libraries: "), PHRASE, true, PROGRAMS},
    {BYTES(": unexpected end of file"), PHRASE, true, PROGRAMS},
    {BYTES("(core dumped)"), PHRASE, true, SHELLS},
};
/* clang-format on */

static bool begins_with(const char *sample, size_t n_sample, const char *beginning) {
    size_t n = strlen(beginning);
    return n_sample >= n && memcmp(sample, beginning, n) == 0;
}

static size_t measure_blank(const char *sample, size_t n_sample) {
    size_t n = 0;
    while (n < n_sample && bm_mark_is_space((uint8_t)sample[n])) n++;
    return n;
}

/* POSIX, ustar: the magic lies in the first entry's header, behind its name and numbers. */
static bool is_tar(const char *sample, size_t n_sample) {
    return n_sample >= 262 && memcmp(sample + 257, "ustar", 5) == 0;
}

/* Of characters that ASCII has, too: every other byte is zero, the first one or the second. */
static bool is_utf_16(const char *sample, size_t n_sample, size_t first_zero) {
    size_t n = n_sample < 4 ? n_sample : 4; /* a line feed's zero is not there yet */
    if (n < 3) return false;
    for (size_t i = 0; i < n; i++)
        if ((sample[i] == '\0') != (i % 2 == first_zero)) return false;
    return true;
}

/* bash's "SCRIPT: line 12: ..." */
static bool is_of_script(const char *line, size_t n_line) {
    static const char phrase[] = ": line ";
    const char *found = memmem(line, n_line, phrase, sizeof phrase - 1);
    if (found == NULL) return false;
    size_t digits = (size_t)(found - line) + sizeof phrase - 1, at = digits;
    while (at < n_line && line[at] >= '0' && line[at] <= '9') at++;
    return at > digits && at < n_line && line[at] == ':';
}

/* What the first line says, wherever in it. */
static const struct look *find_phrase(const char *line, size_t n_line) {
    static const struct look script = {BYTES(""), PHRASE, true, SHELLS};
    if (is_of_script(line, n_line)) return &script;
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (memmem(line, n_line, phrases[i].magic, phrases[i].n_magic) != NULL) return &phrases[i];
    return NULL;
}

static const struct look *find_look(const char *sample, size_t n_sample) {
    static const struct look tar = {BYTES(""), SURE, false,
                                    "a tar archive; unpack it first (tar -xf), and give the files in it"};
    static const struct look utf_16le = {BYTES(""), SURE, false, UTF_16LE};
    static const struct look utf_16be = {BYTES(""), SURE, false, UTF_16BE};
    static const struct look skippable = {BYTES(""), SURE, false, ZSTD}; /* its first frame is */
    size_t n_bom = bm_measure_bom(sample, n_sample);
    size_t n_blank = n_bom + measure_blank(sample + n_bom, n_sample - n_bom);
    if (is_tar(sample, n_sample)) return &tar;
    if (is_utf_16(sample, n_sample, 1)) return &utf_16le;
    if (is_utf_16(sample, n_sample, 0)) return &utf_16be;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        const struct look *look = &looks[i];
        if (n_sample - n_blank >= look->n_magic && memcmp(sample + n_blank, look->magic, look->n_magic) == 0)
            return look;
    }
    if (bm_decompress_look_name((const uint8_t *)sample, n_sample) != NULL)
        return &skippable; /* the others are above */
    const char *end = memchr(sample + n_blank, '\n', n_sample - n_blank);
    size_t n_line = end == NULL ? n_sample - n_blank : (size_t)(end - sample) - n_blank;
    return find_phrase(sample + n_blank, n_line);
}

static bool has_in_first_line(const char *sample, size_t n_sample, char byte) {
    const char *end = memchr(sample, '\n', n_sample);
    return memchr(sample, byte, end == NULL ? n_sample : (size_t)(end - sample)) != NULL;
}

bool bm_mark_look_is_known(const char *sample, size_t n_sample) {
    const struct look *look = find_look(sample, n_sample);
    if (look == NULL || look->sureness != PHRASE) return look != NULL;
    const char *end = memchr(sample, '\n', n_sample);
    return bm_mark_find_separated(sample, end == NULL ? n_sample : (size_t)(end - sample)) ==
           BLASTMERGE_FORMAT_AUTO;
}

/* No row goes on as xz's magic does, with a zero byte: what begins like it is xz's, and damaged. */
bool bm_mark_look_is_compressed(const char *sample, size_t n_sample) {
    static const char xz[] = {'\xfd', '7', 'z', 'X', 'Z', '\0'};
    return bm_decompress_look_name((const uint8_t *)sample, n_sample) != NULL ||
           begins_with(sample, n_sample, xz);
}

bool bm_mark_look_is_foreign(const char *sample, size_t n_sample, char separator) {
    const struct look *look = find_look(sample, n_sample);
    if (look == NULL || look->sureness == SURE) return look != NULL;
    return !has_in_first_line(sample, n_sample, separator);
}

/* Whether one of the lines behind the first begins a result. */
static bool has_result_behind(const char *sample, size_t n_sample) {
    const char *line = memchr(sample, '\n', n_sample);
    while (line != NULL) {
        size_t n = n_sample - (size_t)(++line - sample);
        const char *end = memchr(line, '\n', n);
        size_t n_line = end == NULL ? n : (size_t)(end - line);
        if (begins_with(line, n, "<?xml") || begins_with(line, n, "<Blast") || begins_with(line, n, "{") ||
            (begins_with(line, n, "# ") && bm_mark_table_find_form(line + 1, n_line - 1) != BM_FORM_NONE) ||
            bm_mark_find_plain_table(line, n_line) != BLASTMERGE_FORMAT_AUTO)
            return true;
        line = end;
    }
    return false;
}

/* The first line as a message can show it, 60 characters at most. */
static void quote(char shown[MOST_SHOWN + 8], const char *sample, size_t n_sample) {
    size_t n = 0;
    size_t at = measure_blank(sample, n_sample);
    if (at == n_sample) at = 0;
    for (; at < n_sample && sample[at] != '\n'; at++) {
        char piece[5];
        uint8_t byte = (uint8_t)sample[at];
        bool is_plain = byte >= ' ' && byte < 0x7f;
        if (byte == '\r' && at + 1 < n_sample && sample[at + 1] == '\n') break;
        snprintf(piece, sizeof piece, is_plain ? "%c" : byte == '\t' ? "\\t" : "\\x%02x", byte);
        if (n + strlen(piece) > MOST_SHOWN) {
            memcpy(shown + n, "...", 4);
            return;
        }
        n = (size_t)(stpcpy(shown + n, piece) - shown);
    }
    shown[n] = '\0';
}

/* Whether the first line may be a row of the format that is not known by its columns, as names may hold separators. */
static bool may_be_row(const char *sample, size_t n_sample, const struct bm_format *format) {
    enum { LEAST = 11 /* separators between twelve columns */ };
    size_t n = 0;
    for (size_t i = 0; i < n_sample && sample[i] != '\n' && n < LEAST; i++)
        n += sample[i] == format->separator;
    return format->has_separators_in_fields && n == LEAST;
}

/* The name of that format, or NULL. */
static const char *name_of_row(const char *sample, size_t n_sample) {
    enum blastmerge_format format = bm_format_next_bare_table(BLASTMERGE_FORMAT_AUTO);
    while (format != BLASTMERGE_FORMAT_AUTO && !may_be_row(sample, n_sample, bm_format_of(format)))
        format = bm_format_next_bare_table(format);
    return format != BLASTMERGE_FORMAT_AUTO ? bm_format_of(format)->name : NULL;
}

/* The name of the compression of data that begins so, if this build leaves it out; else NULL. */
static const char *name_left_out(const char *sample, size_t n_sample) {
    const uint8_t *data = (const uint8_t *)sample;
    bool is_built = bm_decompress_look(data, n_sample) != BM_DECOMPRESS_NONE;
    return is_built ? NULL : bm_decompress_look_name(data, n_sample);
}

bool bm_mark_look_fail(struct bm_mark *mark, uint64_t at, const char *sample, size_t n_sample,
                       const char *hint) {
    const char *title = bm_format_of(mark->kin.format)->title;
    const struct look *look = find_look(sample, n_sample);
    char shown[MOST_SHOWN + 8];
    quote(shown, sample, n_sample);
    if (look == NULL && has_result_behind(sample, n_sample)) {
        const char *row = name_of_row(sample, n_sample);
        return bm_mark_fail(mark, at,
                            "this is not %s; its first line does not belong to the result after it; %s%s%s"
                            "remove the text before the result; it begins with \"%s\"",
                            title, row != NULL ? "if it is a row, --format " : "", row != NULL ? row : "",
                            row != NULL ? " accepts it; else " : "", shown);
    }
    if (look == NULL)
        return bm_mark_fail(mark, at, "this is not %s%s; it begins with \"%s\"", title, hint, shown);
    if (look->is_message && has_result_behind(sample, n_sample)) {
        return bm_mark_fail(mark, at,
                            "this is not %s; it looks like a message before a result; remove it, and write "
                            "errors to another file (2> errors.txt); it begins with \"%s\"",
                            title, shown);
    }
    const char *left_out = name_left_out(sample, n_sample);
    return bm_mark_fail(mark, at, "this is not %s; it looks like %s%s%s; it begins with \"%s\"", title,
                        look->what, left_out != NULL ? "; this blastmerge was built without " : "",
                        left_out != NULL ? left_out : "", shown);
}
