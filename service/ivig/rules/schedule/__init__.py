"""Rules about the schedule: infusion days of a course, and the interval of its repeats."""
