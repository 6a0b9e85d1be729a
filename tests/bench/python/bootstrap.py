"""Asks Lambda's Runtime API for events, as a custom runtime does."""

import http.client
import json
import os

import function

RUNTIME = "/2018-06-01/runtime/invocation"
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", f"{RUNTIME}/next")
    answer = api.getresponse()
    event, request = json.loads(answer.read()), answer.headers["lambda-runtime-aws-request-id"]
    result = json.dumps(function.handle(event))
    api.request("POST", f"{RUNTIME}/{request}/response", result)
    api.getresponse().read()
