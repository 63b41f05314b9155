"""Tools for AI assistants over the Model Context Protocol: the pages' numbers and rows, in the caller's scope.

A tool is a plain function of a reader and typed arguments that returns a typed answer (`tools` lists them all); the
schemas follow from the types. `server` puts the official SDK around them, `transport` serves it to tokens at /mcp, and
`manage.py mcp` over stdin and stdout. Everything is read from the mirror: no tool calls KnowBe4.
"""
