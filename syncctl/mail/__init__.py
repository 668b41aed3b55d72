"""What a person is mailed."""
