"""How the packaged stance model is made: data, teacher, student, export, measurement.

Run through `make train`; nothing here is imported by the service. Needs the `train` extra.
"""
