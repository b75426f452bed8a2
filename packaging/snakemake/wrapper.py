# SPDX-License-Identifier: MIT
"""Snakemake wrapper: merges the results of a split BLAST search."""
__author__ = "The blastmerge developers"
__license__ = "MIT"

from snakemake.shell import shell

extra = snakemake.params.get("extra", "")  # noqa: F821
report = "--report {snakemake.output.report:q}" if "report" in snakemake.output.keys() else ""  # noqa: F821
log = snakemake.log_fmt_shell(stdout=True, stderr=True)  # noqa: F821

shell("blastmerge --force --threads {snakemake.threads} {extra} " + report
      + " --output {snakemake.output[0]:q} {snakemake.input:q} {log}")
