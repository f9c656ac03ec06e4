"""What of the patient makes an adverse effect likelier."""
