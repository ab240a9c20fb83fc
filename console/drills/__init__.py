"""Game days: scripted reclaims sent through the front door, as a provider would send them.

Today it holds the sample fleet (`sample/`): a made-up company that a fresh console plays, so that every page
has something true to its kind to show. Everything it sends carries the data origin `sample`; `clearing.py`
takes all of it away again.
"""
