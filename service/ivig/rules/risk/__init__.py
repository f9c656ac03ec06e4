"""Rules about what puts this patient at risk from immune globulin."""
