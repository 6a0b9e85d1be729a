"""What `CertificateRootsPem` takes: the README's own command through a shell and SAM CLI's own reader of overrides, held
against the template's pattern. Runs in SAM CLI's environment; exit code 1 if anything is not as expected."""

import re
import subprocess
import sys
from pathlib import Path

from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
NAME = "CertificateRootsPem"


def override(text, folder):
    """What SAM CLI makes of an override that was typed into a shell."""
    shell = ["bash", "-c", f"printf %s {text}"]
    typed = subprocess.run(shell, cwd=folder, check=True, capture_output=True, text=True, timeout=10).stdout
    return CfnParameterOverridesType().convert((typed,), None, None)[NAME]


def readme():
    """The override in the README's command."""
    text = (ROOT / "functions/README.md").read_text()
    return re.search(rf"--parameter-overrides ({NAME}=.*)$", text, re.MULTILINE).group(1)


def main(folder):
    template = yaml_parse((ROOT / "template.yaml").read_text())
    pattern = re.compile(template["Parameters"][NAME]["AllowedPattern"])
    first = (ROOT / "shared/clients/roots/amazon.pem").read_text().split("-----END")[0] + "-----END CERTIFICATE-----\n"
    pem = first[first.index("-----BEGIN") :]
    (Path(folder) / "roots.pem").write_text(pem)
    one_line = pem.replace("\n", "")
    values = {
        "the README's command": (override(readme(), folder), True),
        "the PEM's lines in a shell": (override(f'{NAME}="$(cat roots.pem)"', folder), False),
        "... in quotes of SAM's": (override(f"'{NAME}=\"'\"{one_line}\"'\"'", folder), True),
        "its first line, as --guided takes it": (pem.splitlines()[0], False),
        "the PEM without its line breaks": (one_line, True),
        "the PEM with them written out": (pem.replace("\n", "\\n"), True),
        "the whole PEM, by a file": (pem, True),
        "two certificates": (pem + pem, True),
        "nothing": ("", True),
        "a path": ("roots.pem", False),
    }
    wrong = [what for what, (value, fits) in values.items() if bool(pattern.fullmatch(value)) != fits]
    for what in wrong:
        print(f"{NAME}: {what}: {values[what][0][:60]!r}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
