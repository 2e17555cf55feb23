"""What losses and scores say about labels: mixtures, their trust, detection metrics, planted noise.

Knows arrays of numbers only (numpy, scipy); must not know of networks, files of datasets or the database.
"""
