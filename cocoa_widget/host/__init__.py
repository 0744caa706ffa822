"""The end of the wire that lies in the kernel: messages, traits, and what the page asks for."""
