"""Building blocks of figures that several studies share."""
