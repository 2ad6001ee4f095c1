"""Generate the Python code of the contract; `--check` only says whether it is up to date.

Generated with the oldest supported grpcio-tools, so that the code loads on the runtimes of every supported
distribution (protobuf 4.21 on loong64) as well as on the newest ones.
"""
