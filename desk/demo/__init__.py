"""The demonstration: a made-up company, its clients and its mail, worked by the real programs."""
