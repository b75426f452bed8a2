# SPDX-License-Identifier: MIT
"""Made-up children in files."""
import gzip

import corpus
import corpus_formats
from forms import member


def in_all_formats(folder, n_children, n_queries, **settings):
    """Yields the name of each format and its files: the same searches in each."""
    corpus.write(folder, n_children, n_queries, **settings)
    paths = sorted(folder.glob("*.xml.gz"))
    yield "xml", paths
    for name in ("xml2", "json", "commented", "tabular", "csv"):
        made = [folder / path.name.replace(".xml.gz", f".{name}.gz") for path in paths]
        for path, copy in zip(paths, made):
            copy.write_bytes(member(corpus_formats.converted(name, gzip.decompress(path.read_bytes()))))
        yield name, made
