"""What a report says of a build, gathered from its folder as values."""
