"""Steps that depend on their own solution: Newton's method and its tangents."""
