"""The RPC services: decode, call, encode."""
