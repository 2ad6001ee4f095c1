"""Whose call it is."""

#: Until there are tokens, everybody who reaches the socket is the one local user.
LOCAL_OWNER = "local"
