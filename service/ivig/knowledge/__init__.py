"""The pages of knowledge, and how they are read. Every clinical number of the service lies here, with its day, source and place."""
