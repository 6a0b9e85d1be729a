"""What is linked into one function, as a CycloneDX bill of materials: from `cargo metadata` and Cargo.lock, nothing else."""

import json
import subprocess
import sys
import tomllib
import uuid

TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]


def metadata(target):
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", target]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def linked(resolved, root):
    """Ids reached by normal dependencies from `root`, each with its own. Macros run in the compiler and stay out."""
    nodes = {node["id"]: node for node in resolved["resolve"]["nodes"]}
    macros = {p["id"] for p in resolved["packages"] if any("proc-macro" in t["kind"] for t in p["targets"])}
    found, open_ids = {}, [root]
    while open_ids:
        here = open_ids.pop()
        if here in found:
            continue
        normal = (d for d in nodes[here]["deps"] if any(k["kind"] is None for k in d["dep_kinds"]))
        found[here] = sorted({d["pkg"] for d in normal} - macros)
        open_ids.extend(found[here])
    return found


def component(package, checksums):
    name, version = package["name"], package["version"]
    ours = package["source"] is None
    one = {
        "type": "library",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:cargo/{name}@{version}",
    }
    if package["license"]:
        one["licenses"] = [{"expression": " OR ".join(part.strip() for part in package["license"].split("/"))}]
    if not ours:
        one["hashes"] = [{"alg": "SHA-256", "content": checksums[name, version]}]
    return one


def main(function):
    with open("Cargo.lock", "rb") as lock:
        locked = tomllib.load(lock)["package"]
    checksums = {(p["name"], p["version"]): p.get("checksum") for p in locked}
    packages, edges = {}, {}
    for target in TARGETS:
        resolved = metadata(target)
        packages.update((p["id"], p) for p in resolved["packages"])
        root = next(p["id"] for p in resolved["packages"] if p["name"] == function and p["source"] is None)
        for here, there in linked(resolved, root).items():
            edges.setdefault(here, set()).update(there)
    reference = {i: f"{packages[i]['name']}@{packages[i]['version']}" for i in edges}
    components = [component(packages[i], checksums) for i in edges if i != root]
    components.sort(key=lambda c: c["bom-ref"])
    assert len(components) > 50 and all("licenses" in c for c in components), "a dependency without a licence"
    content = json.dumps(components, sort_keys=True)
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # The same content has the same number.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, function + content)}",
        "version": 1,
        "metadata": {"component": {**component(packages[root], checksums), "type": "application"}},
        "components": components,
        "dependencies": [
            {"ref": reference[i], "dependsOn": sorted(reference[d] for d in edges[i])}
            for i in sorted(edges, key=reference.get)
        ],
    }
    json.dump(bom, sys.stdout, indent=1)
    print()


main(sys.argv[1])
