"""Joins the parts of a long clip into one MP4, cuts their tails, and measures MP4s."""
