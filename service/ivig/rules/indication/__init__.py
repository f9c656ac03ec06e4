"""What the immune globulin is for: whether the reason is known, accepted, and its criteria met."""
