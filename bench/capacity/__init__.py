"""What a number of users needs, worked out from what one operation was measured to cost."""
