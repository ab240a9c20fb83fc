"""How the console is put together: settings, addresses, the three lanes, Celery's beat, the supervisor.

The highest room: it may import every other one, and nothing imports it.
"""
