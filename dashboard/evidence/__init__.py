"""Evidence packs: the records of a period as a ZIP that an auditor can check without us.

`contents` says what is in one, `sample` draws the random sample, `packing` writes the ZIP and its manifest, and
`making` has it made by a worker, one after the other, each chained to the one before. `verify.py` goes into every
pack and shares no code with the rest. See docs/evidence.md.
"""
