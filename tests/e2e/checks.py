"""Template checks, and the packages with their sizes: of this machine's processor, with `--both` of the other one too."""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import build
from build import ROOT, SAM, WORK
from processes import Processes, limit, say


def main():
    arguments = argparse.ArgumentParser(prog="tests/e2e/checks", description=__doc__)
    arguments.add_argument("--both", action="store_true", help="build for x86_64 and arm64")
    architectures = ["arm64", "x86_64"] if arguments.parse_args().both else [build.HOST]
    limit(2400)
    processes = Processes()
    # Half of a build is linking, which takes one core.
    builds = ThreadPoolExecutor()
    try:
        say("template: sam validate --lint, cfn-lint, checkov")
        env = build.environment()
        validate = [SAM, "validate", "--lint", "--region", "us-east-1", *build.SETTINGS]
        processes.run(validate, 120, cwd=ROOT, env=env)
        processes.run([str(WORK / "venv-sam/bin/cfn-lint"), "template.yaml"], 120, cwd=ROOT, env=env)
        checkov = [str(WORK / "venv-lint/bin/checkov"), "-f", "template.yaml", "--framework", "cloudformation"]
        checkov += ["--compact", "--quiet", "--skip-download"]
        processes.run(checkov, 120, cwd=ROOT, env=env)
        python = str(WORK / "venv-sam/bin/python")
        say("alarms: filters against recorded lines, texts, dashboard, tables")
        processes.run([python, "-B", str(ROOT / "tests/e2e/alarms.py")], 60, cwd=ROOT, env=env)
        say("parameters: the README's way through a shell and SAM CLI")
        with tempfile.TemporaryDirectory() as folder:
            processes.run([python, "-B", str(ROOT / "tests/e2e/parameters.py"), folder], 60, cwd=ROOT, env=env)
        say("template: what safety asks for")
        processes.run([python, "-B", str(ROOT / "tests/e2e/template.py")], 60, cwd=ROOT, env=env)
        for done in [builds.submit(build.functions, processes, one) for one in architectures]:
            done.result()
        say("sizes")
        for architecture in architectures:
            print("\n".join(build.sizes(architecture)))
    except SystemExit as stopped:
        print(f"\nfailed: {stopped}", file=sys.stderr)
        return 1
    finally:
        processes.stop()
        builds.shutdown(cancel_futures=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
