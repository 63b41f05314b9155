"""The numbers counted by hand: brute force over plain records, sharing no code with the product.

Whatever the product answers by SQL, rollups or shortcuts must equal what is counted here row by row. Nothing of
`dashboard` or of the pipeline is imported: a mistake made there cannot repeat itself here.
"""
