"""The outside's shapes: FHIR in, FHIR out. The last place that knows FHIR on the way in, the first on the way out."""
