"""Ways of watching a fit: one module each. Watching never changes the model that is learned."""
