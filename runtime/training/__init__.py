"""One training: a job of plain values, the trainer that does it here or in several processes, checkpoints, packs, adapters, trackers."""
