"""The page: a batch in a browser of this machine. It looks and decides, and never pays.

It listens on loopback alone. It never reads the API's token, and knows neither the API nor HTTP to others.
"""
