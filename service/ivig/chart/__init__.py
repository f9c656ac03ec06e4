"""Getting the evidence that a call lacks: which queries, and how they are fetched in the time there is."""
