"""Views of this room: reading, acting, managing."""
