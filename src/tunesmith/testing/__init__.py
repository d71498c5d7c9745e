"""Conformance suites: whether a part, ours or of another package, keeps its contract."""
