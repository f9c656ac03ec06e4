"""How fast it may run: the rates of the labels, and what the order leaves open."""
