"""From pixels to boxes, tracks, lamp states and plate readings."""
