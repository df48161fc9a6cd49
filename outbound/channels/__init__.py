"""The channels a delivery can leave by, one file each."""
