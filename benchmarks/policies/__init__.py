"""What policies earn on proved incidents: those that do no work, those that do, and sensible detours."""
