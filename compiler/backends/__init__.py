"""Plan stages to what other libraries execute."""
