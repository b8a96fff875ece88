"""The outside world: read, check, reconcile. Knows no physics and no decisions."""
