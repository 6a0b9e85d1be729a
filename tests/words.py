#!/usr/bin/env python3
"""Pages and comments are spelt right, in British English, and without phrases that are read twice.

    python3 tests/words.py

Looks at the prose of tracked Markdown files (no code, no names in italics: those are a vendor's), at comments and help texts of
the functions and of `shared`, and at `template.yaml`. Misspellings, American spellings, doubled words and phrases are faults.
Prints `file:line: what is wrong`. Exit: 0 no fault, 1 some. Standard library only, no network.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Phrases that are read twice, and what says it at once.
PHRASES = [
    (r"whoever|somebody|anybody|nobody", "who acts: another run, the caller, a user, the vendor; or *no one*, *none*"),
    (r"(?:tells?|telling|told)(?! (?:\w+ ){0,3}apart)", "*reports*, *returns*, *says*, *announces*"),
    (r"in words", "*as text*, *in plain text*; or the reason, the message"),
    (r"knows? nothing of", "*no … found*"),
    (r"set aside|sets aside|braked", "*parked*, *held*, *awaiting*: a term of shared/sync/README.md, *Glossary*"),
    (r"seldom|so often|so many of", "a number, or *rarely*"),
    (r"(?:comes?|came|coming) again", "*returns to the queue*, *is delivered again*"),
    (r"(?:goes|go|went|going|gone) on(?! (?:to|a|the|an|its|their|each|your|that|both|one|which)\b)", "*continues*"),
    (r"mend(?:s|ed|ing)?", "*fix*, *repair*, *correct*"),
    (r"in truth", "*in fact*, or nothing"),
    (r"particular to", "*specific to*"),
    (r"for good", "*permanently*"),
    (r"in vain", "*without success*"),
    (r"comes? to (?:its|an|their) end", "*ends*"),
    (r"what it is worth", "*how reliable it is*"),
    (r"(?:is|are|was|were) (?:of|for) no use", "*does not help*"),
    (r"as (?:he|she|they) likes?", "*in any way*"),
]
# Spelt as an American would: one page, one English. Names of vendors are written as they write them.
AMERICAN = {
    "analyze": "analyse", "armor": "armour", "behavior": "behaviour", "canceled": "cancelled",
    "canceling": "cancelling", "catalog": "catalogue", "center": "centre", "color": "colour", "customize": "customise",
    "customized": "customised", "customizes": "customises", "defense": "defence", "favor": "favour", "favorite": "favourite",
    "finalize": "finalise", "fulfill": "fulfil", "gray": "grey", "honor": "honour", "honored": "honoured",
    "initialize": "initialise", "initialized": "initialised", "labeled": "labelled", "labor": "labour", "license": "licence",
    "licenses": "licences", "maximize": "maximise", "minimize": "minimise", "modeled": "modelled", "modeling": "modelling",
    "neighbor": "neighbour", "neighbors": "neighbours", "normalize": "normalise", "normalized": "normalised",
    "normalizes": "normalises", "offense": "offence", "optimize": "optimise", "optimized": "optimised",
    "organization": "organisation", "organizations": "organisations", "organize": "organise", "organized": "organised",
    "prioritize": "prioritise", "randomize": "randomise", "recognize": "recognise", "recognized": "recognised",
    "recognizes": "recognises", "rumor": "rumour", "serialize": "serialise", "serialized": "serialised",
    "signaled": "signalled", "signaling": "signalling", "skeptical": "sceptical", "summarize": "summarise",
    "synchronize": "synchronise", "synchronized": "synchronised", "tokenize": "tokenise", "traveled": "travelled",
    "traveling": "travelling", "unauthorized": "unauthorised", "authorize": "authorise", "authorized": "authorised",
    "utilize": "use", "visualize": "visualise", "anymore": "any more",
}
VENDORS = re.compile(r"\b(?:Partner|admin|Trust|Help) [Cc]enter\b|\bSystem Customizer\b|\bLICENSE\b")
MISSPELT = {
    "abscence": "absence", "acceptible": "acceptable", "accesible": "accessible", "accidently": "accidentally",
    "accomodate": "accommodate", "accross": "across", "acheive": "achieve", "acknowleged": "acknowledged",
    "adress": "address", "adresses": "addresses", "agressive": "aggressive", "algorithim": "algorithm", "alot": "a lot",
    "alreay": "already", "alredy": "already", "amoung": "among", "ammount": "amount", "anual": "annual",
    "apparant": "apparent", "appearence": "appearance", "aquire": "acquire", "arbitary": "arbitrary", "arguement": "argument",
    "asynchonous": "asynchronous", "attachement": "attachment", "attibute": "attribute", "authentification": "authentication",
    "availible": "available", "avaliable": "available", "backgroud": "background", "becuase": "because", "begining": "beginning",
    "beleive": "believe", "belive": "believe", "betwen": "between", "boundry": "boundary", "calender": "calendar",
    "catagory": "category", "certifcate": "certificate", "chargable": "chargeable", "cheif": "chief", "collegue": "colleague",
    "comming": "coming", "commited": "committed", "commiting": "committing", "comparision": "comparison", "compatability": "compatibility",
    "completly": "completely", "concious": "conscious", "concurency": "concurrency", "conditon": "condition",
    "configuraton": "configuration", "conection": "connection", "consistant": "consistent", "containes": "contains",
    "convienient": "convenient", "corespond": "correspond", "correponding": "corresponding", "currancy": "currency",
    "currenly": "currently", "deafult": "default", "decison": "decision", "definately": "definitely", "definiton": "definition",
    "delimeter": "delimiter", "dependant": "dependent", "dependancy": "dependency", "depricated": "deprecated",
    "desparate": "desperate", "destory": "destroy", "detatch": "detach", "developement": "development", "diffrent": "different",
    "disapear": "disappear", "doesnt": "doesn't", "duplicat": "duplicate", "durring": "during", "eigth": "eighth",
    "embarass": "embarrass", "enviroment": "environment", "equivalant": "equivalent", "exection": "execution",
    "existance": "existence", "existant": "existent", "expection": "exception", "expresion": "expression", "extention": "extension",
    "familar": "familiar", "feild": "field", "finaly": "finally", "foward": "forward", "freind": "friend", "fucntion": "function",
    "futher": "further", "garantee": "guarantee", "gaurantee": "guarantee", "goverment": "government", "grammer": "grammar",
    "guage": "gauge", "happend": "happened", "harrass": "harass", "heirarchy": "hierarchy", "hierachy": "hierarchy",
    "immediatly": "immediately", "implemention": "implementation", "incase": "in case", "independant": "independent",
    "infomation": "information", "inital": "initial", "instace": "instance", "intialize": "initialise", "interupt": "interrupt",
    "invokation": "invocation", "irrelevent": "irrelevant", "itterate": "iterate", "knowlege": "knowledge", "lenght": "length",
    "libary": "library", "liscence": "licence", "maintainance": "maintenance", "managment": "management", "mispell": "misspell",
    "messsage": "message", "minumum": "minimum", "neccessary": "necessary", "necesary": "necessary", "negociate": "negotiate",
    "noticable": "noticeable", "occassion": "occasion", "occured": "occurred", "occurence": "occurrence", "occuring": "occurring",
    "ommit": "omit", "ommited": "omitted", "oppertunity": "opportunity", "oportunity": "opportunity", "orginal": "original",
    "overriden": "overridden", "paramater": "parameter", "parmeter": "parameter", "permision": "permission",
    "persistant": "persistent", "posession": "possession", "posible": "possible", "preceed": "precede", "prefered": "preferred",
    "presance": "presence", "priviledge": "privilege", "probaly": "probably", "proccess": "process", "procede": "proceed",
    "properites": "properties", "propogate": "propagate", "publically": "publicly", "quantaty": "quantity", "recieve": "receive",
    "recieved": "received", "recomend": "recommend", "refered": "referred", "referal": "referral", "refferal": "referral",
    "relevent": "relevant", "reponse": "response", "requirment": "requirement", "responsability": "responsibility",
    "retreive": "retrieve", "rythm": "rhythm", "schedual": "schedule", "seperate": "separate", "seperated": "separated",
    "sequencial": "sequential", "similiar": "similar", "sincerly": "sincerely", "specifc": "specific", "statment": "statement",
    "succesful": "successful", "successfull": "successful", "succesfully": "successfully", "sucess": "success",
    "supress": "suppress", "suprise": "surprise", "syncronous": "synchronous", "teh": "the", "temperary": "temporary",
    "threshhold": "threshold", "throught": "through", "togehter": "together", "tommorow": "tomorrow", "transfered": "transferred",
    "truely": "truly", "unecessary": "unnecessary", "unkown": "unknown", "untill": "until", "usefull": "useful", "usualy": "usually",
    "vaild": "valid", "verfiy": "verify", "vulnerablity": "vulnerability", "wether": "whether", "wich": "which", "wierd": "weird",
    "writen": "written", "writting": "writing", "yeild": "yield",
}
# One spelling, of pages; a capital begins a name of a vendor or of the template.
HYPHENS = {"timeout": "time-out", "timeouts": "time-outs", "email": "e-mail", "emails": "e-mails", "setup": "set-up"}
WORDS = {word: right for words in (AMERICAN, MISSPELT) for word, right in words.items()}
PHRASE = [(re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), instead) for pattern, instead in PHRASES]
DOUBLED = re.compile(r"\b([a-z]+) \1\b")
# Said twice on purpose, or two different words.
TWICE = {"that", "had", "so", "one", "very"}


def tracked(*patterns):
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def bare(line):
    """A line without code, addresses and italics."""
    line = re.sub(r"(`+)(?:(?!\1).)+?\1", "`", line)
    line = re.sub(r"\[[\w./-]*[_./-][\w./-]*\]\(|\]\([^)]*\)|https?://\S+|<[^>\s][^>]*>", "]", line)
    return VENDORS.sub("", re.sub(r"(?<![*\w])\*(?![*\s])[^*]+\*(?!\*)", "*", line))


def of_page(path):
    """Number and prose of each line of a page; the text is strict."""
    fenced = False
    for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
        if re.match(r"\s*(```|~~~)", line):
            fenced = not fenced
        elif not fenced:
            yield number, bare(line), True


def of_rust(path):
    """Comments, and texts of several lines in what reads a command: help."""
    help_text = False
    for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
        if "command" in path and re.search(r'const [A-Z_]+: &str = "\\$', line):
            help_text = True
        elif help_text:
            yield number, bare(line), False
            help_text = not line.endswith('";')
        elif comment := re.search(r"(?:^\s*|\s)//[/!]?\s(.*)$", line):
            yield number, bare(comment.group(1)), False


def of_template(path):
    """Comments and descriptions; those of the parameters are strict."""
    part, strict, described = "", False, None
    for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
        indent = len(line) - len(line.lstrip())
        if re.match(r"\w+:", line):
            part = line.split(":")[0]
        if comment := re.search(r"(?:^|\s)#\s(.*)$", line):
            yield number, bare(comment.group(1)), False
        elif found := re.match(r"\s*(Alarm|Constraint)?Description:\s*(.*)$", line):
            strict, described = part == "Parameters" and not found.group(1), indent
            yield number, bare(found.group(2)), strict
        elif described is not None and indent > described:
            yield number, bare(line), strict
        else:
            described = None


def main():
    texts = [(path, of_page(path)) for path in tracked("*.md")]
    texts += [(path, of_rust(path)) for path in tracked("functions/*/src/*.rs", "shared/*/src/*.rs")]
    texts += [("template.yaml", of_template("template.yaml"))]
    faults = []
    for path, found in texts:
        before = ""
        for number, text, strict in found:
            last = before.rsplit(" ", 1)[-1]
            # A vendor's name of two words may be broken by the line.
            whole = VENDORS.sub("", f"{last} {text.lstrip()}" if last in {"Partner", "admin", "Trust", "Help"} else text)
            for word in re.findall(r"(?<![\w/-])[A-Za-z']+(?![\w/])", whole):
                if right := WORDS.get(word.lower()) or strict and HYPHENS.get(word):
                    faults.append(f"{path}:{number}: `{word}`: write `{right}`")
            for word in DOUBLED.findall(f"{last} {text.lstrip()}"):
                if word not in TWICE:
                    faults.append(f"{path}:{number}: `{word} {word}`")
            for pattern, instead in PHRASE:
                for phrase in pattern.findall(text):
                    faults.append(f"{path}:{number}: `{phrase}`: write {instead}")
            before = text.rstrip()
    for text in faults:
        print(text, file=sys.stderr)
    print(f"words: {len(texts)} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
