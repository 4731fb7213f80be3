"""Cloud incident response, simulated exactly: the application over the packages beside it."""

from importlib.metadata import version

__version__ = version("cloud-incident")
