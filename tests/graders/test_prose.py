"""What prose affirms and denies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.prose import affirms


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Postgres was OOM-killed.", "oom*"),
        ("It ran out_of_memory.", "out of memory"),
        ("OUT OF MEMORY", "out of memory"),
        ("mem\u200bory pressure", "memory pressure"),
        ("ＭＥＭＯＲＹ pressure", "memory pressure"),
        ("It is not only memory pressure.", "memory pressure"),
        ("Not DNS; memory pressure.", "memory pressure"),
        ("It was not DNS but memory pressure.", "memory pressure"),
        ("We saw no errors because memory pressure hid them.", "memory pressure"),
        ("Not DNS, TLS or network, the export exhausted memory.", "memory"),
        ("Without a limit, the export exhausted memory.", "memory"),
        ("There is no space left on the device.", "no space left"),
        ("DNS was ruled out. Later it was DNS.", "dns"),
        ("The disk's i/o saturation rose.", "i/o saturation"),
        ("Not a DNS issue — memory pressure.", "memory pressure"),
        ("It's not DNS -> memory pressure", "memory pressure"),
        ("The outage (not related to the deploy) is memory pressure.", "memory pressure"),
        ("It did not refresh before it published stale secrets.", "stale secret*"),
        ("An export without a time window exhausted memory.", "exhausted memory"),
        ("The export had no date filter and exhausted memory.", "exhausted memory"),
        ("Its terms no longer matched and routes were withdrawn.", "withdrawn"),
        ("Pods cannot log in with the stale secret.", "stale secret"),
        ("BGP withdrew five of the prefixes.", "withdr* + prefix*"),
        ("The prefixes of the zone were withdrawn.", "withdr* + prefix*"),
        ("Hosts cannot be reached since routes were withdrawn.", "withdrawn"),
        ("The service's memory pressure rose.", "service memory pressure"),
    ],
)
def test_affirmed(text: str, term: str) -> None:
    assert affirms(text, term)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("It was not memory pressure.", "memory pressure"),
        ("It wasn't memory pressure.", "memory pressure"),
        ("It wasn’t memory pressure.", "memory pressure"),
        ("No evidence of any kind of memory leak.", "memory leak"),
        ("We never saw DNS fail.", "dns"),
        ("Ruled out: nothing. We ruled out DNS.", "dns"),
        ("A slow disk rather than DNS.", "dns"),
        ("Instead of DNS it was memory.", "dns"),
        ("Not DNS, TLS, or certificates.", "certificates"),
        ("neither DNS nor TLS", "tls"),
        ("DNS was ruled out.", "dns"),
        ("The DNS warnings are a red herring.", "dns"),
        ("Could it be memory pressure?", "memory pressure"),
        ("It is false that memory pressure rose.", "memory pressure"),
        ("The DNS was healthy.", "dns"),
        ("Without any real proof of a memory leak", "memory leak"),
        ("no evidence that the export exhausted memory", "exhausted memory"),
        ("It cannot be a memory leak.", "memory leak"),
        ("The prefixes were not withdrawn.", "withdr* + prefix*"),
        ("They withdrew it. The prefixes stayed.", "withdr* + prefix*"),
        ("The routes no longer advertised were old.", "advertised"),
        ("memoryless", "memory"),
        ("smemory", "memory"),
        ("memory of an old pressure", "memory pressure"),
        ("", "memory"),
    ],
)
def test_not_affirmed(text: str, term: str) -> None:
    assert not affirms(text, term)


@given(st.text(max_size=300), st.sampled_from(["dns", "memory pressure", "oom*"]))
def test_any_text_is_judged_and_the_same_in_any_case(text: str, term: str) -> None:
    assert affirms(text, term) == affirms(text.replace("\u2019", "'"), term)


@given(st.sampled_from(["memory", "dns", "tls"]), st.sampled_from(["dns", "tls", "memory"]))
def test_a_denial_does_not_reach_into_the_next_sentence(denied: str, affirmed: str) -> None:
    text = f"It was not {denied}. It was {affirmed}."
    assert affirms(text, affirmed)
    assert affirms(text, denied) == (denied == affirmed)
