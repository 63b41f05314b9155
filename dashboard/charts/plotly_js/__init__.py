"""Plotly's JavaScript, cut from its wheel to what our charts draw, and served with the static files."""
