"""What every CDS Hooks service has to keep, as checks that run against any."""
