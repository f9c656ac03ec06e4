"""The rules, a file each, in families. They know core and nothing else."""
