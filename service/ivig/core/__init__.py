"""The ground floor: quantities, dated values, the order, the judge. No FHIR, no file, no clock, no network."""
