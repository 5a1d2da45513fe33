"""One file a widget. A widget draws what the store holds; it never calls the network."""
