"""The knowledge itself: where it has no answer for the day."""
