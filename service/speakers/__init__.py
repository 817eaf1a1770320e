"""Who said what how often: rolling counts of stances by speaker and by source.

A consumer of the `quotes` topic, beside the workers. Decision record 0013.
"""
