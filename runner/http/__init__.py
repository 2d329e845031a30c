"""HTTP as this project uses it: calls with one typed border, and pictures from allowed addresses alone.

base        the configured API base and its origin
answers     what a call comes to: an answer, surely not sent, or no answer
border      httpx's and aiohttp's exceptions -> those values, by a table
transport   httpx over aiohttp, reporting from when on a request may have been sent
client      the calls to the API, the only ones that carry the token
addresses   which picture URLs and which network addresses are allowed
fetching    a picture's bytes, every hop checked
peeking     a picture's first bytes, and its size
"""
