"""The Jupyter Server extension. Tornado lives only here."""
