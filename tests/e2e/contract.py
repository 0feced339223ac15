"""Replies held to the daemon's own contract: /openapi.yaml, by jsonschema. Every request of Daemon.request comes by here."""

import functools
import json
import re

import jsonschema
import yaml

_document = None


def known():
    return _document is not None


def load(text):
    """Takes the contract; the first one is for all daemons of this run, since they are one build."""
    global _document
    if _document is None:
        _document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        jsonschema.Draft202012Validator.check_schema(_document["components"]["schemas"]["Service"])
    return _document


@functools.lru_cache(None)
def _patterns():
    made = []
    for path, item in _document["paths"].items():
        pattern = re.compile("^" + re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(path)) + "/?$")
        made.append((path.count("{"), pattern, path, item))
    return sorted(made, key=lambda one: one[0])


@functools.lru_cache(None)
def _validator(path, method, status):
    responses = _document["paths"][path][method]["responses"]
    assert str(status) in responses, f"{method.upper()} {path}: {status} is not documented"
    answer = responses[str(status)]
    if "$ref" in answer:
        answer = _document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    schema = answer["content"].get("application/json", {}).get("schema")
    if schema is None:
        return None
    return jsonschema.Draft202012Validator({**schema, "components": _document["components"]})


def check(method, target, status, answer):
    """Whether a JSON reply is what is documented, its status and error code among what the route may answer. Unknown paths and
    methods are only required to say so."""
    path = target.partition("?")[0]
    method = method.lower() if method != "HEAD" else "get"
    for _, pattern, name, item in _patterns():
        if not pattern.match(path) or method not in item:
            continue
        validator = _validator(name, method, status)
        problems = [] if validator is None else sorted(validator.iter_errors(answer), key=lambda e: list(map(str, e.path)))
        assert not problems, (f"{method.upper()} {target}: {status} is not as documented at {'/'.join(map(str, problems[0].path))}: "
                              f"{problems[0].message[:300]}\n{json.dumps(answer)[:2000]}")
        return
    assert status in (401, 403, 404, 405, 400), f"{method.upper()} {target}: {status}, and it is not documented"
