"""How long a runner of a server may be silent, and how soon after its intent a submit leaves. In seconds.

They are asked for by their module's name, so that a test can have them shorter.
"""

LEASE_SECONDS = 30.0
"""So long after its last beat a runner counts as alive."""
BEAT_SECONDS = 5.0
SEND_WINDOW_SECONDS = 5.0
"""A submit leaves so soon after its intent, or not at all: its process may have stood still in between, and
another one have taken its jobs over."""
LATEST_ARRIVAL_SECONDS = 75.0
"""A server closes a connection that is silent for so long: what a stopped process sends later is lost."""
