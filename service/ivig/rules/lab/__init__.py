"""The tests that must be there before immune globulin: there, and recent enough."""
