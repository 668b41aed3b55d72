"""Tokens, and the consent of a person that the first one takes."""
