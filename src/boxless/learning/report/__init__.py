"""What a report says of a learned model."""
