"""Load on a real server: start, customers, figures."""
