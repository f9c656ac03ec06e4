"""What does not go together with immune globulin."""
