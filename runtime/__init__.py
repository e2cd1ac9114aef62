"""Plan to artifacts: scoring, selection, training, evaluation."""
