"""JavaScript cut by reachability: of a bundle, only what is used.

Plotly's wheel ships one bundle of everything it can draw: maps, 3D, WebGL, calendars. A page here draws lines and
bars. esbuild wrote the bundle as one long list of statements, each a module or a part of one (`var a=W((b,c)=>{...})`);
what nothing refers to can go without a change to what stays. No parser is needed for that: tokens and brackets are.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | //[^\n]* | /\*.*?\*/)
  | (?P<word>[A-Za-z_$][\w$]* | \#\w+ | [^\x00-\x7f]+)
  | (?P<number>\.?\d(?:[eE][+-] | [\w.])*)
  | (?P<string>"(?:[^"\\\n] | \\.)*" | '(?:[^'\\\n] | \\.)*')
  | (?P<template>`)
  | (?P<opening>[(\[{])
  | (?P<closing>[)\]}])
  | (?P<slash>/)
  | (?P<sign>=> | \+\+ | -- | \?\. | [^\s\w])
    """,
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
# A slash after these begins a regular expression; after any other word it divides.
_BEFORE_REGEX = frozenset("return typeof case in of do else void delete throw new instanceof yield await".split())
_CONTROL = frozenset({"if", "while", "for", "with"})


class UnreadableScriptError(ValueError):
    """The script is not shaped as expected: the sentence says where."""


class Token(NamedTuple):
    """One token and where it is; `depth` counts the brackets around it."""

    kind: str
    text: str
    begin: int
    end: int
    depth: int


@dataclass(frozen=True)
class Part:
    """A statement, or one declaration of a statement: what it declares, and every word it may refer to."""

    text: str
    declares: str
    words: frozenset[str]


# What is done rather than declared: it stays, and everything it refers to.
DONE = ""


def parts_of(script: str, begin: int) -> tuple[list[Part], int]:
    """Return the statements of the block whose first character is at `begin`, and where its closing bracket is."""
    parts: list[Part] = []
    statement: list[Token] = []
    for token in _tokens(script, begin):
        if token.kind == "end":
            if statement:
                parts += _parts(script, statement)
            return parts, token.begin
        statement.append(token)
        if token.depth == 0 and (token.text == ";" or (token.text == "}" and _is_a_block(statement))):
            parts += _parts(script, statement)
            statement = []
    raise UnreadableScriptError("The block that holds all modules does not end.")


def reachable(parts: list[Part], roots: Iterable[int]) -> list[int]:
    """Return the places of the parts that the roots, and what is merely done, need; in their order."""
    declared: dict[str, list[int]] = {}
    for place, part in enumerate(parts):
        declared.setdefault(part.declares, []).append(place)
    waiting, found = [*roots, *declared.get(DONE, ())], set()
    while waiting:
        place = waiting.pop()
        if place in found:
            continue
        found.add(place)
        for word in parts[place].words:
            waiting += [other for other in declared.get(word, ()) if other not in found]
    return sorted(found)


def words_of(script: str) -> frozenset[str]:
    """Return every word of a script that may name something outside it."""
    return _words(list(_tokens(f"{script}}}", 0))[:-1])


def _is_a_block(statement: list[Token]) -> bool:
    first = [token.text for token in statement[:2]]
    return first[0] in {"function", "class"} or first == ["async", "function"]


def _parts(script: str, statement: list[Token]) -> Iterator[Part]:
    first = statement[0].text
    if first == "var":
        for declaration in _declarations(statement[1:]):
            text = script[declaration[0].begin : declaration[-1].end]
            yield Part(f"var {text};", declaration[0].text, _words(declaration))
        return
    text = script[statement[0].begin : statement[-1].end]
    if _is_a_block(statement):
        name = next(token.text for token in statement if token.kind == "word" and token.text not in _BLOCKS)
    elif first == _EXPORTS and statement[2].kind == "word":
        # Names the members of a module: it belongs to the module's object.
        name = statement[2].text
    else:
        name = DONE
    yield Part(text if text.endswith((";", "}")) else f"{text};", name, _words(statement))


_BLOCKS = frozenset({"async", "function", "class"})
# What esbuild calls its function that gives a module its members, `Fp(module, {name: () => value})`.
_EXPORTS = "Fp"


def _declarations(tokens: list[Token]) -> Iterator[list[Token]]:
    """Yield the declarations between the commas of a `var` statement."""
    declaration: list[Token] = []
    for token in tokens:
        if token.depth == 0 and token.text in {",", ";"} and token.kind == "sign":
            yield declaration
            declaration = []
        else:
            declaration.append(token)
    if declaration:
        yield declaration


def _words(tokens: Collection[Token]) -> frozenset[str]:
    """Return the words that are no member of something: those after a dot, unless it is one of three."""
    found, before, one_before = set(), "", ""
    for token in tokens:
        if token.kind == "word" and not (before == "?." or (before == "." and one_before != ".")):
            found.add(token.text)
        one_before, before = before, token.text
    return frozenset(found)


def _tokens(script: str, at: int) -> Iterator[Token]:
    """Yield the tokens up to the bracket that closes the block which `at` is in; that one is of the kind "end"."""
    around: list[tuple[str, str]] = []
    kind, text = "sign", ";"
    while True:
        match = _TOKEN.match(script, at)
        if match is None or match.lastgroup is None:
            raise UnreadableScriptError(f"No token at character {at}.")
        before_kind, before_text = kind, text
        found, begin, at = match.lastgroup, match.start(), match.end()
        if found == "space":
            continue
        kind, text = found, match[0]
        if kind == "slash":
            if _begins_regex(before_kind, before_text):
                regex = _REGEX.match(script, begin)
                if regex is None:
                    raise UnreadableScriptError(f"No regular expression at character {begin}.")
                kind, text, at = "string", regex[0], regex.end()
            else:
                kind = "sign"
        elif kind == "template":
            for word in _template(script, at):
                if word.kind == "end":
                    at = word.end
                else:
                    yield Token(word.kind, word.text, word.begin, word.end, len(around) + 1)
            kind, text = "string", "`"
        elif kind == "opening":
            around.append((before_kind, before_text))
        elif kind == "closing":
            if not around:
                yield Token("end", text, begin, at, 0)
                return
            owner_kind, owner = around.pop()
            if text == ")" and owner_kind == "word" and owner in _CONTROL:
                kind = "control"
        yield Token(kind, text, begin, at, len(around))


def _begins_regex(kind: str, text: str) -> bool:
    """Return whether a slash after this token begins a regular expression."""
    if kind == "sign":
        return text not in {"++", "--"}
    if kind == "word":
        return text in _BEFORE_REGEX
    return kind in {"opening", "control"} or (kind == "closing" and text == "}")


def _template(script: str, at: int) -> Iterator[Token]:
    """Yield the tokens within the placeholders of a template text, then one of the kind "end" after its last tick."""
    while True:
        if script[at] == "\\":
            at += 2
        elif script[at] == "`":
            yield Token("end", "`", at, at + 1, 0)
            return
        elif script.startswith("${", at):
            for token in _tokens(script, at + 2):
                if token.kind == "end":
                    at = token.end
                else:
                    yield token
        else:
            at += 1
