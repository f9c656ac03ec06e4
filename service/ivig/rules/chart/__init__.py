"""The chart as it was sent: what is missing of it, and what was left out."""
