"""The loop of a long-lived worker: a call a line comes in, its answer a line goes out.

A call is a JSON object {"do": name of a function, "with": its arguments by name}. The answer is {"ok": what it returned} or
{"error": why not}. Whatever else is printed goes to stderr. The loop ends with its input, so that the worker ends with the
test that started it, however that ends.
"""

import json
import os
import sys

# Answers go out by the standard output, and nothing else does: what a library or a JVM prints there goes to stderr.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def serve(*functions):
    by_name = {function.__name__: function for function in functions}
    for line in sys.stdin:
        call = json.loads(line)
        try:
            answer = {"ok": by_name[call["do"]](**call["with"])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"[:4000]}
        print(json.dumps(answer), file=answers, flush=True)
