"""Small things without a domain: identifiers, time, text, statistics, charts. Imports nothing of the house."""
