"""The live page at `/`: the last quotes of this worker as they are delivered, in a browser.

It shows what the worker has just sent; it is no archive, and no other worker's quotes are in it.
"""

from service.live.page import LivePage
from service.live.recent import RecentQuotes

__all__ = ["LivePage", "RecentQuotes"]
