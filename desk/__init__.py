"""Where staff sit: the web application, the command line and the wiring."""
