"""The SBOM in CycloneDX: the packages of the service, with their locked hashes.

python -m script.supply.sbom FILE    `script/sbom` calls it

The same lock gives the same bytes: the SBOM contains no time, and its serial number is made from its content.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from script.supply.licences import found
from script.supply.lock import ROOT, RUNTIME, Locked, read_lock


def build_sbom() -> str:
    """Returns the SBOM as JSON, checked against CycloneDX's own schema. Raises ValueError when the check fails."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    licences = found()
    service = Component(
        name="leadyard",
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref="leadyard",
        licenses=[LicenseExpression(project["license"])],
        purl=PackageURL("pypi", name="leadyard", version=project["version"]),
    )
    parts = [_component(locked, licences[locked.name]) for locked in read_lock(RUNTIME)]
    bom = Bom(components=parts, serial_number=uuid5(NAMESPACE_URL, hashlib.sha256(RUNTIME.read_bytes()).hexdigest()))
    bom.metadata.component = service
    direct = {canonicalize_name(Requirement(each).name) for each in project["dependencies"]}
    bom.register_dependency(service, [part for part in parts if part.name in direct])
    return _checked(bom)


def _component(locked: Locked, licence: str) -> Component:
    # A package has several files for several platforms, and one of them is installed. So the hashes belong to its
    # distributions and not to the component itself.
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{locked.name}/{locked.version}/"),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256) for sha256 in locked.sha256],
    )
    purl = PackageURL("pypi", name=locked.name, version=locked.version)
    return Component(
        name=locked.name,
        version=locked.version,
        bom_ref=str(purl),
        purl=purl,
        licenses=[LicenseExpression(licence)],
        external_references=[files],
        properties=[Property(name="leadyard:only_where", value=locked.marker)] if locked.marker else [],
    )


def _checked(bom: Bom) -> str:
    # The library adds the time of writing, but two SBOMs of the same packages should be equal.
    bom.metadata.timestamp = None  # type: ignore[assignment]
    text: str = JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong is not None:
        raise ValueError(f"The SBOM is not CycloneDX 1.6: {wrong}")
    return text


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(build_sbom())
    print(f"{target}: {len(read_lock(RUNTIME))} packages")
