"""HTTP as this project uses it: typed replies instead of exceptions, and images from allowed hosts alone.

api_url       base URLs and their origins
replies       what a call returns: an answer, surely not sent, or no answer
errors        exceptions of httpx and aiohttp -> those values, by a table
transport     httpx over aiohttp, reporting from when on a request may have been sent
api_client    the calls to the API, the only ones that carry the token
url_policy    which image URLs and which network addresses are allowed
image_client  an image's bytes, every redirect checked
image_probe   an image's first bytes, and its size
webhook       JSON posted to an address of the user
"""
