"""The database and the broker the console brings along, for when nothing is configured.

`addresses.py` says where they listen and imports next to nothing; `servers.py` starts and stops them;
`account.py` decides which system user runs them, `binaries.py` where their programs come from.
"""
