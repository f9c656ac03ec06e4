"""Rules about a course among other courses and treatments."""
