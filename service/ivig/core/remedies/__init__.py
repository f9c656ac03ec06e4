"""Makers of remedies: what might clear a finding, by the name of its rule. Importing this package declares all."""

from ivig.core.remedies import beside, dosage, infusion, measured, product, schedule, stated

__all__ = ["beside", "dosage", "infusion", "measured", "product", "schedule", "stated"]
