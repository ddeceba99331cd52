"""HTTP/1.1 connections to one service: made, kept, used by one call at a time, and ended.

The parser is `httptools`, and `aiohappyeyeballs` connects; both are what the server's side and `aiohttp` use.
What lies between is ours because it is most of what a call through the gateway costs: `aiohttp`'s client does
far more than two services that know each other need (redirects, cookies, proxies, packed bodies, forms).
"""
