"""The templates room: what clients read."""
