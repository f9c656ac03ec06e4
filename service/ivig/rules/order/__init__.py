"""The order itself: whether it is one, whose it is, and whether it contradicts itself or another one."""
