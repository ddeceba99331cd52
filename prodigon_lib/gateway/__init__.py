"""The public API: what a client program talks to. It holds the chats, and passes the rest on."""
