"""Text to plan, purely: no network, no disk, no clock, no printing."""
