"""Rules about other medicines and vaccines that immune globulin does not go with."""
