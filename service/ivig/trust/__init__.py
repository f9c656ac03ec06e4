"""Who may call, and how it is known: clients, their tokens and their keys."""
