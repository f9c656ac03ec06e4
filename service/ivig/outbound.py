"""What may be called outside, and how: only what is allowed, no private address, no redirect."""
