"""What the shop itself tells: its products, customers and orders, checked field by field."""
