"""What prose affirms. One predicate serves failure modes, hedges and the claims of a summary."""

from __future__ import annotations

from graders.prose.affirming import affirms, find_affirmed, mentions_all
from graders.prose.clauses import bound_clauses, ends_clause, split_clauses, split_sentences
from graders.prose.denials import is_denied
from graders.prose.naming import find_mentions, find_named, measure_longest, walk_named
from graders.prose.words import find_occurrences, split_words

__all__ = [
    "affirms",
    "bound_clauses",
    "ends_clause",
    "find_affirmed",
    "find_mentions",
    "find_named",
    "find_occurrences",
    "is_denied",
    "measure_longest",
    "mentions_all",
    "split_clauses",
    "split_sentences",
    "split_words",
    "walk_named",
]
