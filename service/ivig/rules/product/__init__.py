"""Which product: whether it is named, fits the route and the indication, can be had, and suits the patient."""
