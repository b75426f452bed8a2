#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds of fuzz_cloud and fuzz_remote: what servers answer when all goes well, and their ways to refuse."""
import gzip
import json
import os

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cloud")
document = b"<BlastOutput><BlastOutput_iterations>\n<Iteration>\n</Iteration>\n</BlastOutput_iterations></BlastOutput>\n"
child = gzip.compress(document, mtime=0)


def answer(status, body=b"", **headers):
    lines = [f"HTTP/1.1 {status}"] + [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def ranged(data):
    return answer("206 Partial Content", data, ETag='"1"', Content_Length=len(data),
                  Content_Range=f"bytes 0-{len(data) - 1}/{len(data)}", Last_Modified="Sun, 06 Nov 1994 08:49:37 GMT")


def refused(status, code, **headers):
    return answer(status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>&lt;&#x41;</Message></Error>".encode(), **headers)


def seed(name, what, *answers, piece=255):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(what.encode() + bytes([piece]) + b"\0\n\0".join(answers))


s3_page = (b"<?xml version='1.0'?><ListBucketResult xmlns='x'><IsTruncated>true</IsTruncated><Contents><Key>k1&amp;.gz</Key>"
           b"</Contents><NextContinuationToken>t</NextContinuationToken></ListBucketResult>")
s3_last = b"<ListBucketResult><Contents><Key>k2.gz</Key><Size>1</Size></Contents><Empty/></ListBucketResult>"
azure_page = (b"\xef\xbb\xbf<?xml version='1.0'?><EnumerationResults><Blobs><Blob><Name>b1x</Name><Properties><Etag>1</Etag>"
              b"</Properties></Blob></Blobs><NextMarker>m</NextMarker></EnumerationResults>")
azure_last = b"<EnumerationResults><Blobs><Blob><Name>b2x</Name></Blob></Blobs><NextMarker/></EnumerationResults>"
keys = json.dumps({"AccessKeyId": "a", "SecretAccessKey": "s", "Token": "t", "Expiration": "2050-11-06T08:49:37Z"}).encode()
token = json.dumps({"access_token": "t", "expires_in": "3600", "expires_on": 1700000000}).encode()
identity = (b"<R><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
            b"<Expiration>2050-11-06T08:49:37Z</Expiration></Credentials></R>")
whole = answer("200 OK", child, ETag='"1"', Content_Length=len(child))
uploaded = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
completed = b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"

os.makedirs(folder, exist_ok=True)
seed("web", "h", ranged(child), ranged(child), ranged(child), ranged(child), piece=40)
seed("web-whole", "h", whole, whole, whole, whole)
seed("web-busy", "h", refused("503 Slow", "SlowDown", Retry_After="0"), ranged(child), answer("404 No"), ranged(child))
seed("azure", "a", answer("200 OK", token), answer("200 OK", azure_page), answer("200 OK", azure_last), *[ranged(child)] * 4)
seed("azure-refused", "a", answer("200 OK", token), answer("403 No", x_ms_error_code="AuthenticationFailed",
                                                           Date="Sun, 06 Nov 1994 08:49:37 GMT"))
seed("s3", "s", answer("200 OK", keys), answer("200 OK", s3_page), answer("200 OK", s3_last), *[ranged(child)] * 4)
seed("s3-expired", "s", answer("200 OK", keys), refused("400 Bad", "ExpiredToken", x_amz_bucket_region="eu-west-1"),
     answer("200 OK", keys), answer("200 OK", s3_last), ranged(child), ranged(child))
seed("s3-empty", "s", answer("200 OK"))
seed("identity", "w", answer("200 OK", identity), answer("200 OK", s3_last), ranged(child), ranged(child))
seed("machine", "m", answer("200 OK", b"token"), answer("200 OK", b"role"), answer("200 OK", keys), answer("200 OK", s3_last),
     ranged(child), ranged(child))
seed("put", "o", answer("404 No"), answer("200 OK", ETag='"1"'), answer("200 OK", ETag='"1"'))
seed("put-parts", "o", answer("404 No"), answer("200 OK", uploaded), answer("200 OK", ETag='"1"'), answer("200 OK", completed))
seed("put-azure", "z", answer("200 OK", token), answer("404 No"), answer("201 Created", ETag='"1"'), answer("201 Created", ETag='"1"'))
old = json.dumps({"access_token": "t", "expires_on": 1700000000}).encode()
seed("token-lost", "z", answer("200 OK", old), answer("404 No"), answer("201 Created", ETag='"1"'), answer("201 Created", ETag='"1"'))
seed("profile", "p", b"# keys\n[default]\naws_access_key_id = x\n[profile p]\naws_access_key_id = a\naws_secret_access_key=s\n"
                     b"aws_session_token = t\nregion = eu-west-1\n")

# One child whose bytes a judge knows, and whole merges of remote children: see fuzz/claims.h.
STATUS, TAG, TIME, RANGE, TOTAL, LENGTH, BODY, END = (1 << i for i in range(8))
HONEST = bytes(9)


def claim(lies, status=0, tag=0, time=0, span=0, total=0, length=0, body=0, end=60):
    return bytes([lies, status, tag, time, span, total, length, body, end])


def claims(name, target, what, *told):
    os.makedirs(os.path.join(folder, "..", target), exist_ok=True)
    with open(os.path.join(folder, "..", target, name), "wb") as file:
        file.write(bytes(what) + b"".join(told))


LIES = {
    "honest": [],
    "all-from-there": [HONEST] + [claim(RANGE, span=4)] * 12,
    "behind": [HONEST] + [claim(RANGE, span=6)] * 6,
    "next-range": [HONEST, HONEST, claim(RANGE, span=3)],
    "more-bytes": [HONEST] + [claim(BODY | LENGTH, body=100, length=255 - 55)] * 6,
    "shorter": [HONEST] + [claim(BODY | LENGTH, body=200, length=200)] * 6,
    "other-length": [HONEST, HONEST, claim(TOTAL, total=20)],
    "no-length": [claim(TOTAL, total=251)] * 3,
    "other-tag": [HONEST, HONEST, claim(TAG, tag=2)],
    "no-tag": [HONEST, HONEST, claim(TAG | TIME)],
    "weak-tags": [HONEST, claim(TAG, tag=3), claim(TAG, tag=4)],
    "other-time": [HONEST, HONEST, claim(TIME, time=2)],
    "whole": [HONEST, claim(STATUS)],
    "no-such-range": [claim(STATUS, status=3)],
    "empty-later": [HONEST, claim(STATUS, status=3 + 14 * 7)],
    "lost": [HONEST, claim(END, end=1), claim(END, end=5)],
}
for name, told in LIES.items():
    for mode in range(6):
        if mode == 0 or name in ("honest", "other-tag", "other-time", "lost", "no-tag"):
            claims(f"claims-{name}-{mode}", "cloud", [ord("r"), mode, 1, 200, 40, 37, 5, 3], *told)
    claims(name, "remote", [7, 2, 2, 1, 0, 1, 2, 0], *told)
claims("claims-store", "cloud", [ord("R"), 0, 1, 200, 40, 37, 5, 3])
claims("claims-stream", "cloud", [ord("r"), 128 + 1, 1, 200, 40, 37, 5, 3], HONEST, claim(END, end=5))
for format in range(6):
    for output in range(3):
        claims(f"format-{format}-{output}", "remote", [format + 12, 2, format % 4, output, 4 * output + output, 1, 2, 0])
claims("lost-parts", "remote", [6, 1, 1, 0, 4, 0, 2, 0], *[claim(END, end=5), HONEST] * 20)
claims("refused-parts", "remote", [6, 1, 1, 0, 9, 0, 3, 0], *[claim(STATUS | RANGE, status=1, span=4), HONEST] * 20)
