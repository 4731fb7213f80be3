"""The submissions, one file each, in the order in which surfaces list them."""

from scenarios.vocabulary.submissions.submit_resolution import SUBMIT_RESOLUTION, ResolutionAnswer
from scenarios.vocabulary.submissions.submit_root_cause import SUBMIT_ROOT_CAUSE, RootCauseAnswer
from scenarios.vocabulary.submissions.submit_severity import SUBMIT_SEVERITY, SeverityAnswer

SUBMISSIONS = {
    submission.name: submission
    for submission in (
        SUBMIT_SEVERITY,
        SUBMIT_ROOT_CAUSE,
        SUBMIT_RESOLUTION,
    )
}
"""Every submission by name."""

__all__ = [
    "SUBMISSIONS",
    "SUBMIT_RESOLUTION",
    "SUBMIT_ROOT_CAUSE",
    "SUBMIT_SEVERITY",
    "ResolutionAnswer",
    "RootCauseAnswer",
    "SeverityAnswer",
]
