"""The doors: bytes in, the validator's report out in the caller's language."""
