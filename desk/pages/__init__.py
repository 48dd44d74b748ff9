"""The agents' desk in the browser, under ``/desk``."""

from desk.pages.mounting import mount

__all__ = ["mount"]
