"""`stancewire bench`: how fast is this machine, and how near to its limit comes the service.

`load` makes articles, `peers` are what the service is compared with, `drive` publishes and watches
the output, `run` is the order of it all, `report` prints.
"""
