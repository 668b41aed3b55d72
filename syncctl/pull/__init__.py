"""What is read from a service into the mirror, and why it is sometimes not believed."""
