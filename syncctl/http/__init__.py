"""Calls: booked, sent, tried again, journalled, and what their answers and failures mean."""
