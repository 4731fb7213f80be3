"""An incident shown to the person who runs it: the facts for programs, and a page of them for a terminal."""
