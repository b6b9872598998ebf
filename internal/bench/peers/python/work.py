"""What the work is, for the peers: the contract, as launchlake has it, and the SQL that follows from it.

A peer gets three folders: the work (contract.json, gold/*.sql), the pages to bring in, and the lake. Where the lake has a Silver table
already the pages are changes to it.
"""

import json
import pathlib
import sys

WORK, PAGES, LAKE = (pathlib.Path(argument) for argument in sys.argv[1:4])
FIRST = not (LAKE / "silver" / "launches" / "_delta_log").exists()

BRONZE = str(LAKE / "bronze" / "launches")
SILVER = str(LAKE / "silver" / "launches")
QUARANTINE = str(LAKE / "silver" / "launches_quarantine")

_contract = json.loads((WORK / "contract.json").read_text())
COLUMNS = [c for c in _contract["columns"] if c["Origin"] != "version"]
READ = [c for c in COLUMNS if c["Paths"]]
RULES = _contract["rules"]
MODELS = {file.stem: file.read_text() for file in sorted((WORK / "gold").glob("*.sql"))}


def gold(model):
    return str(LAKE / "gold" / model)


def parts(path):
    """$.pad.country[*].name as ["pad", "country", "[*]", "name"]."""
    return path.removeprefix("$.").replace("[", ".[").split(".")


_every = [parts(path) for c in READ for path in c["Paths"]]


def text_before(path):
    """How much of a path leads to a value that is an object in some versions of the API and text in others; 0: it leads through none."""
    return next((n for n in range(1, len(path)) if path[:n] in _every), 0)


def read(column, member, json_value, array_join):
    """SQL of the text that a document has for a column: the first of its paths that holds a value. member gives the SQL of a path within
    the parsed document, json_value that of a member of JSON text; array_join joins an array."""
    found = []
    for path in map(parts, column["Paths"]):
        value = member(path[: text_before(path) or None])
        if text_before(path):
            value = json_value(value, "$." + ".".join(path[text_before(path) :]))
        elif any(text_before(other) == len(path) and other[: len(path)] == path for other in _every):
            value = f"case when {value} not like '{{%' then {value} end"
        elif "[*]" in path and column["Type"] == "string":
            value = f"{array_join}({value}, ',')"
        found.append(value)
    return f"coalesce({', '.join(found)})"


def shape():
    """The members that are read of a document, nested as they are there: {"pad": {"country": {"[]": {"name": {}}}}}."""
    root = {}
    for path in _every:
        node = root
        for part in path[: text_before(path) or None]:
            node = node.setdefault("[]" if part.startswith("[") else part, {})
    return root


def text(value):
    return "'" + value.replace("'", "''") + "'"


def checked(relation, wrong_types, split):
    """SQL that holds the rows of a relation (the typed columns, sha256 as bronze_sha256, and wrong_types) against the rules: rules
    and messages name what is broken, in the contract's order."""
    logic = ", ".join(f"({c['Logic']}) as {c['Name']}" if c["Logic"] else c["Name"] for c in COLUMNS)
    broken = {"well_typed": (f"{wrong_types} <> ''", f"'wrong type: ' || {wrong_types}")}
    for rule in RULES:
        if rule["Action"] == "quarantine":
            broken[rule["Name"]] = (f"not coalesce(({rule['Expect']}), false)", text(rule["Message"]))
    names = ", ".join(f"case when {condition} then '{name}' end" for name, (condition, _) in broken.items())
    messages = ", ".join(f"case when {condition} then {message} end" for condition, message in broken.values())
    separator = "chr(31)"
    return f"""
        select *, {split}(concat_ws({separator}, {names}), {separator}) as rules,
            {split}(concat_ws({separator}, {messages}), {separator}) as messages,
            concat_ws('', {names}) = '' as good
        from (select raw, raw_id, {wrong_types}, {logic} from {relation})"""


NEWEST = "row_number() over (partition by id order by last_updated desc, bronze_sha256 desc) = 1"
NEWER = "source.last_updated > target.last_updated or (source.last_updated = target.last_updated and source.bronze_sha256 > target.bronze_sha256)"
