"""Rules about what belongs beside an infusion of immune globulin."""
