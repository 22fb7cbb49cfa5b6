"""Published traces as clusters: one module per trace."""
