"""Juniper & Co, a fictional shop: its schema, its data and the small cast that demos talk about."""

from connectors.demo.generate import SeedSummary, seed, seeded_on

__all__ = ["SeedSummary", "seed", "seeded_on"]
