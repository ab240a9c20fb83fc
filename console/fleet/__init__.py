"""What the company runs: teams, services, machines with their running intervals, pools and workloads.

Attribution rules say whose a machine is; what matches nothing belongs to the service `unattributed`.
"""
