"""Makes countries.tsv from the Unicode CLDR. Once a year or so, in an empty folder:

    npm pack cldr-core cldr-localenames-full && for f in *.tgz; do mkdir "${f%%-[0-9]*}"; tar xzf "$f" -C "${f%%-[0-9]*}" --strip-components=1; done
    python3 countries.py . > countries.tsv
"""

import json
import pathlib
import sys

# Languages in which a company may write the countries of its customers, whatever the customers' own language.
EVERYWHERE = ["en", "de", "fr", "es", "it", "pt", "nl"]
# A language of a country: official there, also of a part, or spoken by this share of its people in percent.
SHARE = 20

HEAD = """\
# Countries: alpha-2, alpha-3, and names: English, German, French, Spanish, Italian, Portuguese, Dutch, and the languages of
# the country. Made by countries.py from the Unicode CLDR, version {version}; nothing is changed by hand.
# Copyright (c) 2004-2026 Unicode, Inc. SPDX-License-Identifier: Unicode-3.0; terms: https://www.unicode.org/license.txt
"""


def read(*path):
    return json.loads(pathlib.Path(sys.argv[1], *path).read_text(encoding="utf-8"))


def names(language):
    folder = pathlib.Path("cldr-localenames-full", "main", language)
    if not pathlib.Path(sys.argv[1], folder, "territories.json").is_file():
        return {}
    territories = read(folder, "territories.json")["main"][language]["localeDisplayNames"]["territories"]
    found = {}
    for key, name in territories.items():
        found.setdefault(key.split("-alt-")[0], []).append(name)
    return found


def main():
    codes = read("cldr-core", "supplemental", "codeMappings.json")["supplemental"]
    spoken = read("cldr-core", "supplemental", "territoryInfo.json")["supplemental"]["territoryInfo"]
    print(HEAD.format(version=codes["version"]["_cldrVersion"]), end="")
    cache = {}

    def of(language, code):
        language = language.replace("_", "-")
        if language not in cache:
            cache[language] = names(language)
        return cache[language].get(code, [])

    # Codes that ISO 3166-1 has a number for, and Kosovo, which banks and CRMs write as XK.
    listed = [c for c, m in codes["codeMappings"].items() if len(c) == 2 and ("_numeric" in m or c == "XK")]
    for code in sorted(listed):
        mapping = codes["codeMappings"][code]
        if code != "XK" and int(mapping["_numeric"]) >= 900:
            continue
        own = spoken.get(code, {}).get("languagePopulation", {})
        languages = EVERYWHERE + sorted(
            language
            for language, facts in own.items()
            if "_officialStatus" in facts or float(facts.get("_populationPercent", 0)) >= SHARE
        )
        given = ((language, name) for language in languages for name in of(language, code))
        # Other languages' abbreviations are other countries' codes: `RU` is Portuguese for the United Kingdom.
        texts = dict.fromkeys(n for l, n in given if l == "en" or not (n.isascii() and len(n.replace(".", "")) < 4))
        if texts:
            print(code, mapping["_alpha3"], *texts, sep="\t")


main()
