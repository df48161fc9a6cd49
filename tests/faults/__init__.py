"""Random kills and crashes over the whole house, and the count of what they did."""
