"""The world into history: mail and calls come in here."""
