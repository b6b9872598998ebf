"""Opens a table by delta-rs and prints what it took."""

import json
import resource
import sys
import time

from deltalake import DeltaTable

start = time.perf_counter()
table = DeltaTable(sys.argv[1])
took = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"ms": took * 1e3, "files": len(table.file_uris()), "peak_kb": peak}))
