# SPDX-License-Identifier: MIT
"""Parents and children in a folder, and what finalize must make of them, worked out slowly and plainly."""
import gzip
import json
from dataclasses import dataclass, field

import oracle
import program
import small

RESULT, REPORT, MANIFEST = NAMES = "merged_results.out.gz", "merge-report.json", "split-results-manifest.json"
TOTALS = ["queries", "total_input_hits", "total_output_hits", "unsupported_rows", "unsupported_records", "malformed_xml_count",
          "total_input_hsps", "total_output_hsps", "tie_break_count", "tie_cutoff_overflow_count", "diversity_reserved_count",
          "num_shards"]
NOT_READY = 12


def report_of(n_queries, **fields):
    """A child's report, as searches write it."""
    return {"outfmt": 5, "format": "blast_xml", "precision_level": "exact", "queries": n_queries, "total_input_hits": 3,
            "total_output_hits": 2, "max_target_seqs": 500, "num_shards": 1, "warnings": [], **fields}


@dataclass
class Parent:
    """A parent job: a folder, and children with their states."""
    folder: object
    job_id: str = "parent-1"
    prefix: str = ""
    status: str = ""
    children: list = field(default_factory=list)
    expected: int = None
    more: dict = field(default_factory=dict)

    def add(self, job_id, result=None, report=None, status="completed", group_id="group"):
        """A child; result: bytes, report: what becomes JSON, or bytes. What is None is not there."""
        self.children.append({"job_id": job_id, "group_id": group_id, "status": status})
        place = self.folder / (job_id or "none")
        place.mkdir(exist_ok=True)
        if result is not None:
            (place / RESULT).write_bytes(result)
        if report is not None:
            (place / REPORT).write_bytes(report if isinstance(report, bytes) else json.dumps(report).encode())
        return self

    @property
    def job(self):
        """The job's description."""
        parent = {"job_id": self.job_id, **({"status": self.status} if self.status else {}),
                  **({"prefix": self.prefix} if self.prefix else {})}
        return {"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": str(self.folder), "parent": parent,
                "expected_child_count": len(self.children) if self.expected is None else self.expected,
                "children": self.children, **self.more}

    @property
    def own_prefix(self):
        return self.prefix or self.job_id + "/"

    def path(self, name):
        return self.folder / self.own_prefix / name

    def files(self):
        """The names in the parent's folder."""
        return program.only_files(self.folder / self.own_prefix) if (self.folder / self.own_prefix).is_dir() else []

    def finalize(self, *options, run=program.run, **more):
        """Runs the program; the outcome is in .outcome, None where nothing was printed."""
        done = run("finalize", *options, "-", input=json.dumps(self.job).encode(), **more)
        done.outcome = json.loads(done.out) if done.out else None
        if done.out:  # one line, sorted keys
            assert done.out.count(b"\n") == 1 and json.dumps(done.outcome) == json.dumps(done.outcome, sort_keys=True)
        return done

    def outputs(self):
        return {"merged_result_path": self.own_prefix + RESULT, "merge_report_path": self.own_prefix + REPORT,
                "manifest_path": self.own_prefix + MANIFEST}

    def row(self, child):
        """What verifying says of a child."""
        place = self.folder / child["job_id"]
        sizes = {name: (place / name).stat().st_size if (place / name).exists() else None for name in (RESULT, REPORT)}
        return {"parent_job_id": self.job_id, "child_job_id": child["job_id"], "group_id": child["group_id"],
                "merged_result_path": f"{child['job_id']}/{RESULT}", "merge_report_path": f"{child['job_id']}/{REPORT}",
                "has_merged_result": sizes[RESULT] is not None, "has_merge_report": sizes[REPORT] is not None,
                "merged_result_size": sizes[RESULT], "merge_report_size": sizes[REPORT]}

    def reports(self):
        return [json.loads((self.folder / child["job_id"] / REPORT).read_bytes()) for child in self.children]

    def merged_report(self):
        """The parent's report."""
        return aggregate(self.job_id, self.children, self.reports())

    def merged_text(self):
        return oracle.merge([(self.folder / child["job_id"] / RESULT).read_bytes() for child in self.children])

    def check_complete(self, is_xml=True):
        """All is there as it must be, and nothing else."""
        assert self.files() == sorted(NAMES)
        if is_xml:
            assert program.text_of(self.path(RESULT).read_bytes()) == self.merged_text()
        assert self.path(REPORT).read_bytes() == one_line(self.merged_report())
        manifest = json.loads(self.path(MANIFEST).read_bytes())
        assert self.path(MANIFEST).read_bytes() == one_line(manifest)
        assert manifest.pop("created_at")
        assert manifest == {"parent_job_id": self.job_id, "outputs": self.outputs(),
                            "assembly": "xml_iteration_concatenation" if is_xml else "gzip_member_concatenation",
                            "children": [self.row(child) for child in self.children]}


def one_line(value):
    return json.dumps(value, sort_keys=True).encode() + b"\n"


def three(folder, **reports):
    """A parent whose three children are complete."""
    parent = Parent(folder)
    for number, n_queries in enumerate([2, 1, 3]):
        parent.add(f"child-{number}", small.child(*(f"q{number}.{i}" for i in range(n_queries))),
                   report_of(n_queries, **reports))
    return parent


def tabular(folder, *texts, **fields):
    """A parent of tabular children."""
    parent = Parent(folder)
    for number, text in enumerate(texts):
        data = text if isinstance(text, bytes) else gzip.compress(text.encode(), mtime=0)
        parent.add(f"child-{number}", data, {"outfmt": "6 std", "format": "blast_tabular", **fields})
    return parent


# --- the parent's report, as finalize.md has it --------------------------------------------------------

def number(value):
    return int(value) if isinstance(value, (int, float)) else 0


def format_of(report):
    return "blast_xml" if str(report.get("outfmt")).strip() == "5" else report.get("format") or "blast_tabular"


def listed(report, name):
    value = report.get(name)
    return value if isinstance(value, list) else []


def aggregate(job_id, children, reports):
    form = format_of(reports[0])
    warnings = list(dict.fromkeys(w for report in reports for w in listed(report, "warnings") if isinstance(w, str)))
    targets = {number(report.get("max_target_seqs")) for report in reports if number(report.get("max_target_seqs")) > 0}
    text = "child merge reports used different max_target_seqs values"
    if len(targets) > 1 and text not in warnings:
        warnings.append(text)
    rows = [{"child_job_id": child["job_id"], "group_id": child["group_id"], "format": format_of(report),
             "warnings": report.get("warnings", []),
             **{name: report.get(name, 0) for name in TOTALS if name != "diversity_reserved_count"}}
            for child, report in zip(children, reports)]
    is_xml = form == "blast_xml"
    return {"precision_level": "split_query_child_finalizer_xml_concat" if is_xml else "split_query_child_finalizer_concat",
            "supported_outfmt": "5" if is_xml else "6 std", "outfmt": 5 if is_xml else 6, "format": form,
            "parent_job_id": job_id, "child_count": len(children),
            "max_target_seqs": targets.pop() if len(targets) == 1 else None,
            **{name: sum(number(report.get(name)) for report in reports) for name in TOTALS},
            **{name: [entry for report in reports for entry in listed(report, name) if isinstance(entry, dict)][:10]
               for name in ("tie_cutoff_queries", "diversity_queries")},
            "warnings": warnings, "children": rows}
