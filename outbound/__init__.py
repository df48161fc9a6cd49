"""Queue into the world: everything that is sent leaves here."""
