"""The process that Typst runs in: started by `typesetting` as a script, limited by the operating system.

It is told on its standard input what to compile, and answers on its standard output: `!` when it is ready, then for
each request `+` and the result or `-` and why not. Lengths are eight bytes. It imports nothing of ours.
"""

import base64
import json
import resource
import struct
import sys

LENGTH = struct.Struct(">Q")


def limit(memory: int) -> None:
    """Take no more address space than that many bytes, and write no file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":  # macOS refuses it
        _lower(resource.RLIMIT_AS, memory)


def limit_processor(seconds: int) -> None:
    """End this process once it has used so many seconds of processor time more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + seconds)


def _lower(kind: int, most: int) -> None:
    """Set a limit, which may not be above one that was set for this process by others."""
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def serve() -> None:
    """Compile what is asked for until the other side is gone."""
    import typst  # noqa: PLC0415 - whoever starts this process needs none of it

    told = json.loads(sys.argv[1])
    limit(told["memory"])
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=told["fonts"])
    compiler = typst.Compiler(root=told["root"], font_paths=fonts, ignore_system_fonts=True)
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(b"!")
    answers.flush()
    while len(head := asked.read(LENGTH.size)) == LENGTH.size:
        request = json.loads(asked.read(LENGTH.unpack(head)[0]))
        limit_processor(request.pop("processor_seconds"))
        if "source" in request:
            request["input"] = base64.b64decode(request.pop("source"))
        try:
            found = compiler.compile(**request)
            state, body = b"+", found if isinstance(found, bytes) else b""
        except typst.TypstError as error:
            state, body = b"-", error.message.encode()
        answers.write(state + LENGTH.pack(len(body)) + body)
        answers.flush()


if __name__ == "__main__":
    serve()
