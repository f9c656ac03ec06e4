"""Rules about what belongs beside a course: aspirin, the watch over breathing."""
