"""The ingress's job in plain Python: verify Partner Center's signature, put a hint on the queue, answer."""

import base64
import datetime
import json
import os
import re
import urllib.request

import boto3
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import NameOID

QUEUE_URL = os.environ["QUEUE_URL"]
PREFIX = os.environ["CERTIFICATE_URL_PREFIXES"]
ROOTS = x509.load_pem_x509_certificates(os.environ["CERTIFICATE_ROOTS_PEM"].encode())
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KINDS = {"referral": "referral", "related-referral": "engagement"}

queue = boto3.client("sqs")
certificates = {}


class NotVerified(Exception):
    pass


def organisation(name):
    return [attribute.value for attribute in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]


def check_chain(chain):
    """The leaf, valid today and under a root, issued by and for Microsoft."""
    now = datetime.datetime.now(datetime.timezone.utc)
    leaf = current = chain[0]
    if [organisation(leaf.issuer), organisation(leaf.subject)] != [["Microsoft Corporation"]] * 2:
        raise NotVerified("organisation")
    for _ in range(8):
        if not current.not_valid_before_utc <= now <= current.not_valid_after_utc:
            raise NotVerified("dates")
        if current.issuer == current.subject and current in ROOTS:
            return leaf
        above = [c for c in ROOTS + chain[1:] if c.subject == current.issuer]
        if not above:
            raise NotVerified("chain")
        current.verify_directly_issued_by(above[0])
        current = above[0]
    raise NotVerified("chain")


def certificate(url):
    if not url.startswith(PREFIX):
        raise NotVerified("address")
    if url not in certificates:
        with urllib.request.urlopen(url, timeout=2) as answer:
            file = answer.read(32 * 1024)
        pem = file.startswith(b"-----")
        chain = x509.load_pem_x509_certificates(file) if pem else [x509.load_der_x509_certificate(file)]
        certificates[url] = check_chain(chain)
    leaf = certificates[url]
    if leaf.not_valid_after_utc < datetime.datetime.now(datetime.timezone.utc):
        raise NotVerified("dates")
    return leaf


def verify(headers, body):
    signature = headers.get("authorization", "").removeprefix("Signature ")
    if headers.get("x-ms-signature-algorithm", "").lower() != "rsa-sha256" or not signature:
        raise NotVerified("headers")
    key = certificate(headers.get("x-ms-certificate-url", "")).public_key()
    try:
        key.verify(base64.b64decode(signature), body, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise NotVerified("signature") from error


def handle(event):
    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()
    try:
        verify(event["headers"], body)
    except NotVerified:
        return {"statusCode": 401, "body": "not verified"}
    change = json.loads(body)
    name = change["EventName"]
    kind = KINDS.get(name.rpartition("-")[0])
    if kind is None:
        return {"statusCode": 200}
    referral, at = change["ResourceUri"].rpartition("/")[2].lower(), change["ResourceChangeUtcDate"]
    if not GUID.fullmatch(referral):
        return {"statusCode": 400, "body": "no referral"}
    hint = {"v": 1, "kind": kind, "referral": referral, "from": name, "at": at}
    queue.send_message(
        QueueUrl=QUEUE_URL,
        MessageBody=json.dumps(hint),
        MessageGroupId=referral,
        MessageDeduplicationId=f"{name}:{referral}:{at}",
    )
    print(json.dumps({"decision": "enqueued", "referral.id": referral, "event": name}), flush=True)
    return {"statusCode": 200}
