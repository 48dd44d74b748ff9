"""Messaging channels, one folder a platform."""
