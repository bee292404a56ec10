"""Reads lines of the log as those would who get them, with programs that nobody here wrote.

usage: siem_reader.py FORM FILE QUERY...
  FORM   ecs, cef, ocsf or emf
  FILE   lines, as the hall wrote them
  QUERY  in the search engine's words, such as 'event.action:alert AND labels.kind:x'

Every line is parsed and checked as its form asks; then all are indexed by field in tantivy, and for each query
the number of lines that were found and the first of them are printed as one JSON array a line. Ends with 1, and
says which line, if one cannot be read.
"""

import json
import sys

import tantivy


def ecs(line):
    """What ecs-logging's specification asks of every line."""
    fields = json.loads(line)
    for name in ["@timestamp", "log.level", "message", "ecs.version"]:
        assert isinstance(fields[name], str), name
    assert fields["@timestamp"].endswith("Z")
    return fields


def cef(line):
    import pycef

    fields = pycef.parse(line)
    assert fields, "pycef cannot read it"
    assert fields["CEFVersion"] == "0" and fields["DeviceVendor"] == "Guildhall"
    assert 0 <= int(fields["Severity"]) <= 10
    return fields


class Ocsf:
    """The schema of OCSF as its makers publish it, with nothing allowed that is not in it."""

    def __init__(self):
        from jsonschema import Draft202012Validator
        from ocsf_json_schema import get_ocsf_schema, OcsfJsonSchemaEmbedded

        self.schemas, self.validators = {}, {}
        self.get, self.make, self.check = get_ocsf_schema, OcsfJsonSchemaEmbedded, Draft202012Validator

    def __call__(self, line):
        event = json.loads(line)
        version, uid = event["metadata"]["version"], event["class_uid"]
        if (version, uid) not in self.validators:
            schema = self.make(self.get(version))
            name = schema.lookup_class_name_from_uid(uid)
            self.validators[version, uid] = self.check(schema.get_class_schema(name))
        errors = list(self.validators[version, uid].iter_errors(event))
        assert not errors, "; ".join(f"{it.json_path}: {it.message}" for it in errors)
        assert event["type_uid"] == uid * 100 + event["activity_id"]
        return event


def emf(line):
    """What the specification of the Embedded Metric Format asks."""
    event = json.loads(line)
    about = event["_aws"]
    assert isinstance(about["Timestamp"], int) and about["CloudWatchMetrics"]
    for directive in about["CloudWatchMetrics"]:
        assert 1 <= len(directive["Namespace"]) <= 1024
        assert 1 <= len(directive["Metrics"]) <= 100
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            assert all(isinstance(event[it], str) and event[it] for it in dimensions)
        for metric in directive["Metrics"]:
            assert isinstance(event[metric["Name"]], (int, float)), metric
            assert metric["Unit"] in ("Seconds", "Bytes", "Count", "None"), metric
    return event


def flat(value, name=""):
    """Nested fields by their dotted names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner, name)
    else:
        yield name, str(value)


def main(form, path, queries):
    read = {"ecs": ecs, "cef": cef, "ocsf": Ocsf, "emf": emf}[form]
    read = read() if form == "ocsf" else read
    schema = tantivy.SchemaBuilder()
    schema.add_json_field("fields", stored=True, tokenizer_name="raw")
    index = tantivy.Index(schema.build())
    writer, lines = index.writer(15_000_000, 1), 0
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                fields = read(line.rstrip("\n"))
            except Exception as error:
                sys.exit(f"{form}: {error!r} in {line}")
            # A dot in a query leads into an object: here all names are of one level.
            named = {key.replace(".", "_"): value for key, value in flat(fields)}
            writer.add_document(tantivy.Document(fields=named))
            lines += 1
    assert lines, "there is no line"
    writer.commit()
    index.reload()
    searcher = index.searcher()
    for query in queries:
        found = searcher.search(index.parse_query(query, ["fields"]), 10)
        first = [searcher.doc(at).to_dict()["fields"][0] for _, at in found.hits[:1]]
        print(json.dumps([found.count, *first], default=str))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
