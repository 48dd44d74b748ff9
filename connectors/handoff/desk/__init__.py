"""The built-in desk as a handoff target."""

from connectors.handoff.desk.connector import DeskHandoff, create

__all__ = ["DeskHandoff", "create"]
