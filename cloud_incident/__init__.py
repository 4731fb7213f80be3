"""Cloud incident response, simulated exactly: the application over the packages beside it.

What Python users need most is here too: `Batch`, `Catalogue`, `Curriculum`, `Selection`.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

__all__ = ["Batch", "Catalogue", "Curriculum", "Selection", "__version__"]
__version__ = version("cloud-incident")

if TYPE_CHECKING:
    from env_core.batch import Batch
    from env_core.curriculum import Curriculum
    from env_core.selection import Selection
    from scenarios.catalogue import Catalogue
else:  # imported when they are asked for: the command line starts without them
    _HOMES = {
        "Batch": "env_core.batch",
        "Catalogue": "scenarios.catalogue",
        "Curriculum": "env_core.curriculum",
        "Selection": "env_core.selection",
    }

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)
