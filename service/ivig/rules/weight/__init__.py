"""The weight: whether it is there, recent and plausible, and whether the dose rests on the right one."""
