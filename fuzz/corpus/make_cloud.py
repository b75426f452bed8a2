#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds of fuzz_cloud: what servers answer when all goes well, and their ways to refuse."""
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
