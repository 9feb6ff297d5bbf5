"""What goes over the wire: bodies that routes take and what they give, a file a group of routes. The only place with pydantic."""
