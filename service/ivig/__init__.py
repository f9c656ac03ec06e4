"""ivig-order-check: judges intravenous immune globulin orders."""

__version__ = "0.1.0"
