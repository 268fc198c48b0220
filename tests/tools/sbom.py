# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as CycloneDX: what it needs, and every file of the artifact with its hash. Into build/sbom.cdx.json, checked against its schema."""

from __future__ import annotations

import json
import re
import sys
import tarfile
import tempfile
from pathlib import Path

import artifact
import yaml
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = artifact.ROOT
RESULT = ROOT / 'build/sbom.cdx.json'
SCHEMA = SchemaVersion.V1_6


def bill(galaxy: dict, requires_ansible: str, files: list[dict], tarball: tuple[str, str]) -> Bom:
    """The bill of materials. files: entries of FILES.json. tarball: its name and SHA-256."""
    name = f'{galaxy["namespace"]}.{galaxy["name"]}'
    collection = Component(
        name=name, version=galaxy['version'], type=ComponentType.APPLICATION, description=galaxy['description'], bom_ref=name,
        licenses=[LicenseFactory().make_from_string(galaxy['license'][0])],
        purl=PackageURL('generic', galaxy['namespace'], galaxy['name'], galaxy['version'], {'file_name': tarball[0]}),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=tarball[1])])
    core = Component(name='ansible-core', type=ComponentType.FRAMEWORK, purl=PackageURL('pypi', None, 'ansible-core'), bom_ref='ansible-core',
                     description=f'{requires_ansible}; comes with Jinja2, PyYAML, cryptography and packaging',
                     licenses=[LicenseFactory().make_from_string('GPL-3.0-or-later')])
    bom = Bom(components=[core])
    bom.metadata.component = collection
    for entry in files:
        if entry['ftype'] == 'file':
            collection.components.add(Component(name=entry['name'], type=ComponentType.FILE, bom_ref=f'file:{entry["name"]}',
                                                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=entry['chksum_sha256'])]))
    bom.register_dependency(collection, [core])
    bom.register_dependency(core)
    return bom


def main() -> int:
    """1 when the result does not fit its schema."""
    with tempfile.TemporaryDirectory(prefix='jeedom-sbom-') as folder:
        tarball = artifact.build(Path(folder))
        with tarfile.open(tarball) as archive:
            files = json.load(archive.extractfile('FILES.json') or sys.exit(f'{tarball.name} has no FILES.json'))['files']
        digest = artifact.hashlib.sha256(tarball.read_bytes()).hexdigest()
    galaxy = yaml.safe_load((ROOT / 'galaxy.yml').read_text(encoding='utf-8'))
    needed = re.search(r"^requires_ansible: '(.+)'", (ROOT / 'meta/runtime.yml').read_text(encoding='utf-8'), re.MULTILINE)
    text = make_outputter(bill(galaxy, needed[1] if needed else '', files, (tarball.name, digest)), OutputFormat.JSON, SCHEMA).output_as_string(indent=2)
    wrong = JsonStrictValidator(SCHEMA).validate_str(text)
    if wrong:
        print(f'sbom: {wrong}', file=sys.stderr)
        return 1
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text, encoding='utf-8')
    print(f'{RESULT.relative_to(ROOT)}: {sum(entry["ftype"] == "file" for entry in files)} files')
    return 0


if __name__ == '__main__':
    sys.exit(main())
