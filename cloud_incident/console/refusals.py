"""What the console refuses."""

from __future__ import annotations

from scenarios.errors import CloudIncidentError


class EndpointsClosedError(CloudIncidentError):
    """A model that was named on a server where visitors may name none."""

    code = "not_allowed"


class EndpointMismatchError(CloudIncidentError):
    """A model for an agent that asks none, or no model for an agent that asks one."""

    code = "agent_mismatch"


class UnknownRunError(CloudIncidentError):
    """A run that was never started, or has been forgotten."""

    code = "unknown_run"


class RunsFullError(CloudIncidentError):
    """No further run can be played until one has ended."""

    code = "no_capacity"


class RunsElsewhereError(CloudIncidentError):
    """A run on a server of several processes, none of which knows the runs of the others."""

    code = "needs_one_process"


class UnknownStoredError(CloudIncidentError):
    """A stored evaluation or trajectory that does not exist."""

    code = "unknown_file"


class UnreadableFileError(CloudIncidentError):
    """A file or an upload that does not hold trajectories. The message says where."""

    code = "unreadable_file"


class UploadsWaitError(CloudIncidentError):
    """As many uploads wait to be played again as may."""

    code = "busy"


class UnreplayableError(CloudIncidentError):
    """A trajectory of another release or another incident than there is here, or one that cannot have been played."""

    code = "unreplayable"
